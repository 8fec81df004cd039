"""Tickets in one file, for one process without Redis."""

import asyncio
import json
import time
from pathlib import Path

from chatbot.errors import StoreUnavailableError
from chatbot.files import replace_file
from chatbot.sessions.protocol import Kept


class FileTickets:
    """See `Tickets`; the folder is locked by the history beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._order = asyncio.Lock()
        self._kept = _read(path)

    async def put(self, kind: str, digest: str, ttl_seconds: int, value: str = "") -> None:
        """See `Tickets.put`."""
        async with self._order:
            now = time.time()
            kept = {key: item for key, item in self._kept.items() if item[0] > now}
            await self._save({**kept, f"{kind}:{digest}": (now + ttl_seconds, value)})

    async def get(self, kind: str, digest: str) -> Kept | None:
        """See `Tickets.get`."""
        end, value = self._kept.get(f"{kind}:{digest}", (0.0, ""))
        seconds = int(end - time.time())
        return Kept(seconds, value) if seconds > 0 else None

    async def take(self, kind: str, digest: str) -> str | None:
        """See `Tickets.take`."""
        async with self._order:
            key = f"{kind}:{digest}"
            end, value = self._kept.get(key, (0.0, ""))
            if end <= time.time():
                return None
            await self._save({name: item for name, item in self._kept.items() if name != key})
            return value

    async def _save(self, kept: dict[str, tuple[float, str]]) -> None:
        try:
            await asyncio.to_thread(replace_file, self._path, json.dumps(kept))
        except OSError as error:
            raise StoreUnavailableError("history", f"{self._path}: {error.strerror}") from error
        self._kept = kept


def _read(path: Path) -> dict[str, tuple[float, str]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {key: (float(end), str(value)) for key, (end, value) in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # everybody signs in again
