"""Conversations in files, for one process without Redis.

`index.json` holds the heads, replaced as a whole; `<id>.jsonl` the messages, one a line, only ever added to, a person's
in a folder named after its owner. Both are on the disk (fsync) before a method returns. A line cut short by a crash is
passed over, and so is what a later question takes the place of; a lost index is made again from the messages.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from chatbot.errors import StoreUnavailableError
from chatbot.files import FolderLock, append_line, replace_file
from chatbot.history.protocol import SHARED, Conversation, Turn, joined

T = TypeVar("T")


class FileHistory:
    """See `History`; one process owns the folder."""

    def __init__(self, folder: Path) -> None:
        """Open or make the folder.

        Raises:
            ConfigurationError: another process uses it, or it cannot be written.
        """
        self._folder = folder
        self._lock = FolderLock(folder)
        self._order = asyncio.Lock()
        self._turns: dict[str, list[Turn]] = {}
        self._heads = self._read_index()

    async def recent(self, owner: str) -> Sequence[Conversation]:
        """See `History.recent`."""
        own = [head for head in self._heads.values() if head.owner == owner]
        return sorted(own, key=lambda head: head.updated_at, reverse=True)

    async def create(self, conversation: Conversation) -> None:
        """See `History.create`."""
        async with self._order:
            if conversation.id not in self._heads:
                await self._write(lambda: self._save({**self._heads, conversation.id: conversation}))

    async def get(self, owner: str, conversation_id: str) -> Conversation | None:
        """See `History.get`."""
        head = self._heads.get(conversation_id)
        return head if head and head.owner == owner else None

    async def turns(self, owner: str, conversation_id: str) -> Sequence[Turn]:
        """See `History.turns`."""
        head = await self.get(owner, conversation_id)
        if head is None:
            return []
        async with self._order:
            return list(await self._write(lambda: self._load(head)))

    async def append(self, owner: str, conversation_id: str, turn: Turn) -> bool:
        """See `History.append`."""
        async with self._order:
            head = await self.get(owner, conversation_id)
            if head is None:
                return False
            await self._write(lambda: self._append(head, turn))
            return True

    async def rename(self, owner: str, conversation_id: str, title: str) -> bool:
        """See `History.rename`."""
        async with self._order:
            head = await self.get(owner, conversation_id)
            if head is None:
                return False
            await self._write(lambda: self._save({**self._heads, head.id: replace(head, title=title)}))
            return True

    async def delete(self, owner: str, conversation_id: str) -> bool:
        """See `History.delete`."""
        async with self._order:
            head = await self.get(owner, conversation_id)
            if head is None:
                return False
            rest = {key: head for key, head in self._heads.items() if key != conversation_id}
            # The messages first: an index without messages is harmless, messages without an index would come back.
            await self._write(lambda: self._path(head).unlink(missing_ok=True))
            await self._write(lambda: self._save(rest))
            self._turns.pop(conversation_id, None)
            return True

    async def ping(self) -> None:
        """See `History.ping`."""
        if not self._folder.is_dir():
            raise StoreUnavailableError("history", f"{self._folder} is gone")

    async def close(self) -> None:
        """Let another process have the folder."""
        self._lock.release()

    async def _write(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise StoreUnavailableError("history", f"{self._folder}: {error.strerror}") from error

    def _append(self, head: Conversation, turn: Turn) -> None:
        turns = self._load(head)
        if all(known.id != turn.id for known in turns):
            self._path(head).parent.mkdir(exist_ok=True, mode=0o700)
            append_line(self._path(head), turn.as_json())
            turns[:] = joined(turns, [turn])
            head = replace(head, message_count=min(head.message_count, len(turns) - 1))
        for kept in turns[head.message_count :]:  # more than one when the index could not be written after the last
            head = head.with_turn(kept)
        self._save({**self._heads, head.id: head})

    def _load(self, head: Conversation) -> list[Turn]:
        if head.id not in self._turns:
            self._turns[head.id] = read_turns(self._path(head))
        return self._turns[head.id]

    def _save(self, heads: dict[str, Conversation]) -> None:
        replace_file(self._folder / "index.json", json.dumps([asdict(head) for head in heads.values()]))
        self._heads = heads

    def _read_index(self) -> dict[str, Conversation]:
        try:
            rows = json.loads((self._folder / "index.json").read_text(encoding="utf-8"))
            heads = {row["id"]: Conversation(**row) for row in rows}
        except (OSError, ValueError, TypeError, KeyError):
            heads = {}
        # A crash between a message and its index leaves the index behind by one.
        for path in self._folder.rglob("*.jsonl"):
            turns = read_turns(path)
            head = heads.get(path.stem)
            if turns and (head is None or head.message_count != len(turns)):
                owner = SHARED if path.parent == self._folder else path.parent.name
                heads[path.stem] = _head_of(head or Conversation(id=path.stem, owner=owner), turns)
        return heads

    def _path(self, head: Conversation) -> Path:
        return self._folder / head.owner / f"{head.id}.jsonl"


def read_turns(path: Path) -> list[Turn]:
    """The messages of one file, each once; damaged lines are passed over, and stay on the disk."""
    if not path.is_file():
        return []
    turns: dict[str, Turn] = {}
    for line in path.read_bytes().splitlines():
        with suppress(ValueError, TypeError):
            turn = Turn.from_json(line)
            turns.setdefault(turn.id, turn)
    return joined([], list(turns.values()))


def _head_of(head: Conversation, turns: Sequence[Turn]) -> Conversation:
    made = replace(head, created_at=turns[0].created_at, updated_at="", message_count=0)
    for turn in turns:
        made = made.with_turn(turn)
    return made
