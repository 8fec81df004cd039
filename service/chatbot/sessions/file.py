"""Tickets in one file, for one process without Redis."""

import asyncio
import json
import time
from pathlib import Path

from chatbot.errors import StoreUnavailableError
from chatbot.files import replace_file


class FileTickets:
    """See `Tickets`; the folder is locked by the history beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._order = asyncio.Lock()
        self._ends = _read(path)

    async def put(self, kind: str, digest: str, ttl_seconds: int) -> None:
        """See `Tickets.put`."""
        async with self._order:
            now = time.time()
            kept = {key: end for key, end in self._ends.items() if end > now}
            await self._save({**kept, f"{kind}:{digest}": now + ttl_seconds})

    async def seconds_left(self, kind: str, digest: str) -> int:
        """See `Tickets.seconds_left`."""
        return max(0, int(self._ends.get(f"{kind}:{digest}", 0) - time.time()))

    async def take(self, kind: str, digest: str) -> bool:
        """See `Tickets.take`."""
        async with self._order:
            key = f"{kind}:{digest}"
            if self._ends.get(key, 0) <= time.time():
                return False
            await self._save({name: end for name, end in self._ends.items() if name != key})
            return True

    async def _save(self, ends: dict[str, float]) -> None:
        try:
            await asyncio.to_thread(replace_file, self._path, json.dumps(ends))
        except OSError as error:
            raise StoreUnavailableError("history", f"{self._path}: {error.strerror}") from error
        self._ends = ends


def _read(path: Path) -> dict[str, float]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # everybody signs in again
    return {str(key): float(end) for key, end in value.items()} if isinstance(value, dict) else {}
