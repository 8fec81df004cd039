"""Keeps what could not be saved, and saves it when the store is back."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from chatbot.errors import StoreUnavailableError
from chatbot.history.protocol import Conversation, History, Turn, joined
from chatbot.telemetry import Metrics

MAX_PENDING = 10_000
MAX_PENDING_CHARACTERS = 64 * 1024 * 1024
"""Of text and images: what waits is held in memory."""
RETRY_SECONDS = 2.0

log = structlog.get_logger()


@dataclass(frozen=True)
class _Write:
    conversation: Conversation
    turn: Turn | None
    """None: the conversation itself is new."""

    @property
    def characters(self) -> int:
        """How much it holds in memory."""
        return len(self.turn.content) + sum(map(len, self.turn.images)) if self.turn else 0


class PendingHistory:
    """A `History` whose `create` and `append` never fail for want of the store: they wait in memory, in order.

    Reading raises `StoreUnavailableError` as before, except for conversations that are only here.
    """

    def __init__(self, store: History, metrics: Metrics, retry_seconds: float = RETRY_SECONDS) -> None:
        self._store = store
        self._gauge = metrics.pending_history
        self._retry_seconds = retry_seconds
        self._writes: deque[_Write] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._order = asyncio.Lock()

    async def recent(self, owner: str) -> Sequence[Conversation]:
        """See `History.recent`."""
        return await self._store.recent(owner)

    async def create(self, conversation: Conversation) -> None:
        """See `History.create`; kept when the store is away."""
        await self._save(_Write(conversation, None))

    async def get(self, owner: str, conversation_id: str) -> Conversation | None:
        """See `History.get`."""
        created = [
            write.conversation for write in self._writes if _is_of(write, owner, conversation_id) and write.turn is None
        ]
        if created:
            turns = self.pending_turns(owner, conversation_id)
            return replace(created[0], message_count=len(turns))
        return await self._store.get(owner, conversation_id)

    async def turns(self, owner: str, conversation_id: str) -> Sequence[Turn]:
        """See `History.turns`; with those that wait here, at the end."""
        return joined(await self._store.turns(owner, conversation_id), self.pending_turns(owner, conversation_id))

    @property
    def is_behind(self) -> bool:
        """Whether something waits for the store."""
        return bool(self._writes)

    def pending_turns(self, owner: str, conversation_id: str) -> Sequence[Turn]:
        """What waits for the store, of one conversation."""
        waiting = [write.turn for write in self._writes if write.turn and _is_of(write, owner, conversation_id)]
        return joined([], waiting)

    async def append(self, owner: str, conversation_id: str, turn: Turn) -> bool:
        """See `History.append`; kept (and True) when the store is away."""
        return await self._save(_Write(Conversation(id=conversation_id, owner=owner), turn))

    async def rename(self, owner: str, conversation_id: str, title: str) -> bool:
        """See `History.rename`."""
        return await self._store.rename(owner, conversation_id, title)

    async def delete(self, owner: str, conversation_id: str) -> bool:
        """See `History.delete`; what waits of it is forgotten too."""
        deleted = await self._store.delete(owner, conversation_id)
        self._writes = deque(write for write in self._writes if not _is_of(write, owner, conversation_id))
        return deleted

    async def ping(self) -> None:
        """See `History.ping`."""
        await self._store.ping()

    async def close(self) -> None:
        """One last attempt, then close the store; what is lost is said in the log."""
        if self._flushing:
            self._flushing.cancel()
        try:
            await self._flush()
        except StoreUnavailableError:
            log.error("history_lost", writes=len(self._writes))
        await self._store.close()

    async def _save(self, write: _Write) -> bool:
        if not self._writes:
            try:
                return await self._send(write)
            except StoreUnavailableError:
                log.warning("history_unavailable")
        waiting = sum(other.characters for other in self._writes)
        if len(self._writes) >= MAX_PENDING or waiting + write.characters > MAX_PENDING_CHARACTERS:
            raise StoreUnavailableError("history", f"{len(self._writes)} messages already wait for it")
        self._writes.append(write)
        self._gauge.set(len(self._writes))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._keep_trying())
        return True

    async def _send(self, write: _Write) -> bool:
        if write.turn is None:
            await self._store.create(write.conversation)
            return True
        return await self._store.append(write.conversation.owner, write.conversation.id, write.turn)

    async def _keep_trying(self) -> None:
        while self._writes:
            await asyncio.sleep(self._retry_seconds)
            try:
                await self._flush()
            except StoreUnavailableError:
                continue
            log.info("history_saved")

    async def _flush(self) -> None:
        async with self._order:
            while self._writes:
                write = self._writes[0]
                saved = await self._send(write)
                if not saved and write.turn:
                    # Another replica may hold the conversation's own beginning, or it was made while the store was
                    # away: better kept under a new head than lost.
                    await self._store.create(replace(write.conversation, created_at=write.turn.created_at))
                    await self._store.append(write.conversation.owner, write.conversation.id, write.turn)
                if self._writes and self._writes[0] is write:
                    self._writes.popleft()
                self._gauge.set(len(self._writes))


def _is_of(write: _Write, owner: str, conversation_id: str) -> bool:
    return (write.conversation.owner, write.conversation.id) == (owner, conversation_id)
