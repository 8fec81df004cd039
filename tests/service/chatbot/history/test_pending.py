"""What happens to turns while Redis is away, or takes none."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import Redis

from chatbot.errors import StoreUnavailableError
from chatbot.history.pending import PendingHistory
from chatbot.history.protocol import SHARED, Conversation, Turn
from chatbot.history.redis import RedisHistory
from chatbot.redis_client import connect
from chatbot.telemetry import Metrics
from tests.service.chatbot.servers import REDIS_PASSWORD, Server


@pytest.fixture
async def history(redis: Server, tmp_path: Path) -> AsyncIterator[PendingHistory]:
    path = tmp_path / "redis-password"
    path.write_text(REDIS_PASSWORD)
    store = PendingHistory(RedisHistory(connect(f"redis://127.0.0.1:{redis.port}/0", path)), Metrics(), 0.1)
    yield store
    await store.close()


async def caught_up(history: PendingHistory) -> None:
    async with asyncio.timeout(20):
        while history.is_behind:
            await asyncio.sleep(0.05)


async def test_turns_made_while_redis_is_away_are_saved_in_order_when_it_is_back(
    history: PendingHistory, redis: Server
) -> None:
    known, new = Conversation(), Conversation()
    await history.create(known)
    await history.append(SHARED, known.id, Turn(role="user", content="before"))
    redis.kill()
    for text in ("during 1", "during 2"):
        assert await history.append(SHARED, known.id, Turn(role="user", content=text))
    await history.create(new)
    await history.append(SHARED, new.id, Turn(role="user", content="born in the dark"))
    assert [turn.content for turn in history.pending_turns(SHARED, known.id)] == ["during 1", "during 2"]
    with pytest.raises(StoreUnavailableError):
        await history.turns(SHARED, known.id)
    redis.start()
    await caught_up(history)
    assert [turn.content for turn in await history.turns(SHARED, known.id)] == ["before", "during 1", "during 2"]
    head = await history.get(SHARED, new.id)
    assert head is not None
    assert (head.title, head.message_count) == ("born in the dark", 1)


REFUSING = {
    "OOM": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    "READONLY": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "MASTERDOWN": ("CONFIG SET replica-serve-stale-data no", "CONFIG SET replica-serve-stale-data yes"),
    "NOREPLICAS": ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
}
"""What makes Redis refuse with each code, and takes it back; MASTERDOWN comes on top of READONLY."""


@pytest.mark.parametrize("codes", [("OOM",), ("READONLY",), ("READONLY", "MASTERDOWN"), ("NOREPLICAS",)], ids="-".join)
async def test_turns_made_while_redis_refuses_are_saved_when_it_takes_them(
    codes: tuple[str, ...], history: PendingHistory, redis: Server
) -> None:
    server = Redis(port=redis.port, password=REDIS_PASSWORD)
    known, new = Conversation(), Conversation()
    await history.create(known)
    for code in codes:
        server.execute_command(*REFUSING[code][0].split())
    assert await history.append(SHARED, known.id, Turn(role="user", content="during"))
    await history.create(new)
    with pytest.raises(StoreUnavailableError):
        await history.rename(SHARED, known.id, "x")
    await asyncio.sleep(0.3)  # several attempts to save, all refused
    assert [turn.content for turn in history.pending_turns(SHARED, known.id)] == ["during"]
    for code in reversed(codes):
        server.execute_command(*REFUSING[code][1].split())
    await caught_up(history)
    assert [turn.content for turn in await history.turns(SHARED, known.id)] == ["during"]
    assert await history.get(SHARED, new.id)


async def test_a_question_takes_anothers_place_while_redis_is_away(history: PendingHistory, redis: Server) -> None:
    conversation = Conversation()
    await history.create(conversation)
    asked = Turn(role="user", content="One?")
    await history.append(SHARED, conversation.id, asked)
    redis.kill()
    again = Turn(role="user", content="One!", replaces=asked.id)
    for turn in (again, Turn(role="user", content="One.", replaces=again.id)):
        await history.append(SHARED, conversation.id, turn)
    assert [turn.content for turn in history.pending_turns(SHARED, conversation.id)] == ["One."]
    redis.start()
    await caught_up(history)
    assert [turn.content for turn in await history.turns(SHARED, conversation.id)] == ["One."]


async def test_a_new_conversation_can_be_read_before_it_is_saved(history: PendingHistory, redis: Server) -> None:
    redis.kill()
    conversation = Conversation(title="x")
    await history.create(conversation)
    head = await history.get(SHARED, conversation.id)
    assert head is not None
    assert head.title == "x"


async def test_closing_saves_what_waits(redis: Server, tmp_path: Path) -> None:
    path = tmp_path / "redis-password"
    path.write_text(REDIS_PASSWORD)

    def connected() -> PendingHistory:
        client = connect(f"redis://127.0.0.1:{redis.port}/0", path)
        return PendingHistory(RedisHistory(client), Metrics(), 60)

    first = connected()
    redis.kill()
    conversation = Conversation()
    await first.create(conversation)
    await first.append(SHARED, conversation.id, Turn(role="user", content="last words"))
    redis.start()
    await first.close()
    second = connected()
    assert [turn.content for turn in await second.turns(SHARED, conversation.id)] == ["last words"]
    await second.close()


async def test_nobody_writes_into_anothers_conversation_while_redis_is_away(
    history: PendingHistory, redis: Server
) -> None:
    kim, lee = "a" * 64, "b" * 64
    conversation = Conversation(owner=kim)
    await history.create(conversation)
    redis.kill()
    await history.append(lee, conversation.id, Turn(role="user", content="not mine"))
    await history.append(kim, conversation.id, Turn(role="user", content="mine"))
    assert [turn.content for turn in history.pending_turns(kim, conversation.id)] == ["mine"]
    redis.start()
    await caught_up(history)
    assert [turn.content for turn in await history.turns(kim, conversation.id)] == ["mine"]
    assert await history.turns(lee, conversation.id) == []
