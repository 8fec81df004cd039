"""The same demands on both stores of conversations, and on both stores of tickets."""

import asyncio
import json
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

import pytest

from chatbot.errors import StoreUnavailableError
from chatbot.history.file import FileHistory
from chatbot.history.protocol import SHARED, Conversation, History, Turn
from chatbot.history.redis import RedisHistory
from chatbot.redis_client import connect
from chatbot.sessions.file import FileTickets
from chatbot.sessions.person import Person
from chatbot.sessions.protocol import Tickets
from chatbot.sessions.redis import RedisTickets
from chatbot.sessions.service import Sessions
from chatbot.settings import ConfigurationError
from tests.service.chatbot.servers import REDIS_PASSWORD, Server


def password_file(folder: Path, password: str = REDIS_PASSWORD) -> Path:
    path = folder / "redis-password"
    path.write_text(password + "\n")
    return path


@pytest.fixture(params=["redis", "file"])
async def history(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[History]:
    store: History
    if request.param == "file":
        store = FileHistory(tmp_path / "history")
    else:
        server: Server = request.getfixturevalue("redis")
        store = RedisHistory(connect(f"redis://127.0.0.1:{server.port}/0", password_file(tmp_path)))
    yield store
    await store.close()


@pytest.fixture(params=["redis", "file"])
async def tickets(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Tickets]:
    if request.param == "file":
        yield FileTickets(tmp_path / "sessions.json")
        return
    server: Server = request.getfixturevalue("redis")
    client = connect(f"redis://127.0.0.1:{server.port}/0", password_file(tmp_path))
    yield RedisTickets(client)
    await client.aclose()


async def test_keeps_turns_in_order_with_all_they_have(history: History) -> None:
    conversation = Conversation()
    await history.create(conversation)
    turns = [
        Turn(role="user", content="연차는 며칠?\n\n<b>&</b>"),
        Turn(role="assistant", content="15일 [1]", citations=({"index": 1, "title": "규정"},), status="interrupted"),
    ]
    for turn in turns:
        assert await history.append(SHARED, conversation.id, turn)
    kept = await history.turns(SHARED, conversation.id)
    assert [(turn.id, turn.content, turn.status) for turn in kept] == [(t.id, t.content, t.status) for t in turns]
    assert list(kept[1].citations) == [{"index": 1, "title": "규정"}]


async def test_a_turn_saved_twice_is_there_once(history: History) -> None:
    conversation = Conversation()
    await history.create(conversation)
    turn = Turn(role="user", content="once")
    assert await history.append(SHARED, conversation.id, turn)
    assert await history.append(SHARED, conversation.id, turn)
    assert len(await history.turns(SHARED, conversation.id)) == 1


async def test_turns_of_many_writers_are_all_kept(history: History) -> None:
    conversation = Conversation()
    await history.create(conversation)
    turns = [Turn(role="user", content=str(number)) for number in range(50)]
    await asyncio.gather(*(history.append(SHARED, conversation.id, turn) for turn in turns))
    assert {turn.content for turn in await history.turns(SHARED, conversation.id)} == {
        str(number) for number in range(50)
    }
    head = await history.get(SHARED, conversation.id)
    assert head is not None
    assert head.message_count == 50


async def test_first_question_gives_the_title_and_a_given_title_stays(history: History) -> None:
    named, unnamed = Conversation(title="mine"), Conversation()
    for conversation in (named, unnamed):
        await history.create(conversation)
        await history.append(SHARED, conversation.id, Turn(role="user", content="What is\nthis?"))
        await history.append(SHARED, conversation.id, Turn(role="user", content="And that?"))
    heads = {head.id: head.title for head in await history.recent(SHARED)}
    assert heads == {named.id: "mine", unnamed.id: "What is this?"}


async def test_the_last_used_comes_first(history: History) -> None:
    old, new = Conversation(), Conversation()
    await history.create(old)
    await history.create(new)
    assert [head.id for head in await history.recent(SHARED)] == [new.id, old.id]
    await history.append(SHARED, old.id, Turn(role="user", content="again"))
    assert [head.id for head in await history.recent(SHARED)] == [old.id, new.id]


async def test_a_question_takes_anothers_place_and_forgets_what_came_of_it(history: History) -> None:
    conversation = Conversation()
    await history.create(conversation)
    texts = ("One?", "Yes.", "Two?", "Half")
    turns = [Turn(role="user" if text.endswith("?") else "assistant", content=text) for text in texts]
    for turn in turns:
        await history.append(SHARED, conversation.id, turn)
    again = Turn(role="user", content="Two!", replaces=turns[2].id)

    async def kept() -> list[str]:
        return [turn.content for turn in await history.turns(SHARED, conversation.id)]

    for _ in range(2):  # saved twice, it is there once
        assert await history.append(SHARED, conversation.id, again)
        assert await kept() == ["One?", "Yes.", "Two!"]
    await history.append(SHARED, conversation.id, Turn(role="assistant", content="Whole."))
    await history.append(SHARED, conversation.id, again)
    await history.append(SHARED, conversation.id, Turn(role="user", content="Three?", replaces="0" * 16))
    assert await kept() == ["One?", "Yes.", "Two!", "Whole.", "Three?"]
    await history.append(SHARED, conversation.id, Turn(role="user", content="Anew?", replaces=turns[0].id))
    assert await kept() == ["Anew?"]
    head = await history.get(SHARED, conversation.id)
    assert head is not None
    assert head.message_count == 1


async def test_file_history_knows_after_a_restart_what_was_replaced(tmp_path: Path) -> None:
    first = FileHistory(tmp_path)
    conversation = Conversation()
    await first.create(conversation)
    asked = Turn(role="user", content="Taken back")
    for turn in (asked, Turn(role="assistant", content="Half"), Turn(role="user", content="New", replaces=asked.id)):
        await first.append(SHARED, conversation.id, turn)
    await first.close()
    second = FileHistory(tmp_path)
    assert [turn.content for turn in await second.turns(SHARED, conversation.id)] == ["New"]
    (head,) = await second.recent(SHARED)
    assert head.message_count == 1
    await second.close()


async def test_renames_and_deletes(history: History) -> None:
    conversation = Conversation()
    await history.create(conversation)
    assert await history.rename(SHARED, conversation.id, "new title")
    head = await history.get(SHARED, conversation.id)
    assert head is not None
    assert head.title == "new title"
    await history.append(SHARED, conversation.id, Turn(role="user", content="x"))
    assert await history.delete(SHARED, conversation.id)
    assert await history.get(SHARED, conversation.id) is None
    assert await history.turns(SHARED, conversation.id) == []
    assert await history.recent(SHARED) == []


async def test_an_unknown_conversation_is_told_and_not_made(history: History) -> None:
    unknown = Conversation().id
    assert await history.get(SHARED, unknown) is None
    assert not await history.append(SHARED, unknown, Turn(role="user", content="x"))
    assert not await history.rename(SHARED, unknown, "x")
    assert not await history.delete(SHARED, unknown)
    assert await history.recent(SHARED) == []


async def test_file_history_survives_a_restart_and_a_torn_write(tmp_path: Path) -> None:
    first = FileHistory(tmp_path)
    conversation = Conversation()
    await first.create(conversation)
    await first.append(SHARED, conversation.id, Turn(role="user", content="kept"))
    await first.close()
    with (tmp_path / f"{conversation.id}.jsonl").open("a") as file:
        file.write('{"id": "torn", "role": "us')
    second = FileHistory(tmp_path)
    assert [turn.content for turn in await second.turns(SHARED, conversation.id)] == ["kept"]
    await second.append(SHARED, conversation.id, Turn(role="user", content="next"))
    await second.close()
    third = FileHistory(tmp_path)
    assert [turn.content for turn in await third.turns(SHARED, conversation.id)] == ["kept", "next"]
    await third.close()


@contextmanager
def full_disk(free_bytes: int, path: Path) -> Iterator[None]:
    """The kernel writes so much more to this file, and refuses the rest, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + free_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("shrinks", [True, False], ids=["half-line-taken-back", "half-line-stays"])
async def test_a_full_disk_costs_nothing_of_a_conversation(tmp_path: Path, shrinks: bool) -> None:
    first, conversation = FileHistory(tmp_path), Conversation()
    await first.create(conversation)
    turns = [Turn(role="user", content=str(number) * 40) for number in range(3)]
    await first.append(SHARED, conversation.id, turns[0])
    path = tmp_path / f"{conversation.id}.jsonl"
    before = path.read_bytes()
    refused = pytest.raises(StoreUnavailableError, match="File too large")
    with full_disk(20, path), refused, nullcontext() if shrinks else patch("os.truncate", side_effect=OSError):
        await first.append(SHARED, conversation.id, turns[1])
    assert len(path.read_bytes()) == len(before) + (0 if shrinks else 20)
    for turn in turns[1:]:
        assert await first.append(SHARED, conversation.id, turn)
    await first.close()
    second = FileHistory(tmp_path)
    assert [turn.content for turn in await second.turns(SHARED, conversation.id)] == [turn.content for turn in turns]
    await second.close()


async def test_a_message_whose_index_found_no_room_is_counted_when_it_is_saved_again(tmp_path: Path) -> None:
    history, conversation = FileHistory(tmp_path), Conversation()
    await history.create(conversation)
    turn = Turn(role="user", content="Where was I?")
    with patch("chatbot.history.file.replace_file", side_effect=OSError), pytest.raises(StoreUnavailableError):
        await history.append(SHARED, conversation.id, turn)
    assert await history.append(SHARED, conversation.id, turn)
    (head,) = await history.recent(SHARED)
    assert (head.title, head.message_count) == ("Where was I?", 1)
    await history.close()


async def test_file_history_makes_a_lost_index_again(tmp_path: Path) -> None:
    first = FileHistory(tmp_path)
    conversation = Conversation()
    await first.create(conversation)
    await first.append(SHARED, conversation.id, Turn(role="user", content="Where was I?"))
    await first.close()
    (tmp_path / "index.json").write_text(json.dumps([])[:-1])
    second = FileHistory(tmp_path)
    (head,) = await second.recent(SHARED)
    assert (head.id, head.title, head.message_count) == (conversation.id, "Where was I?", 1)
    await second.close()


async def test_file_history_has_one_owner(tmp_path: Path) -> None:
    first = FileHistory(tmp_path)
    with pytest.raises(ConfigurationError, match=f"another chat service uses {tmp_path}"):
        FileHistory(tmp_path)
    await first.close()
    await FileHistory(tmp_path).close()


async def test_redis_away_is_told_as_such_and_no_password_is_shown(redis: Server, tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{redis.port}/0"
    wrong = RedisHistory(connect(url, password_file(tmp_path, "wrong-password-canary")))
    with pytest.raises(StoreUnavailableError, match="refuses the password") as caught:
        await wrong.recent(SHARED)
    assert "canary" not in str(caught.value)
    await wrong.close()
    history = RedisHistory(connect(url, password_file(tmp_path)))
    await history.create(Conversation(title="before"))
    redis.kill()
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        await history.recent(SHARED)
    redis.start()
    assert [head.title for head in await history.recent(SHARED)] == ["before"]
    await history.close()


async def test_a_login_works_once_for_exactly_one_of_many(tickets: Tickets) -> None:
    sessions = Sessions(tickets)
    ticket = await sessions.open_login()
    assert sorted(await asyncio.gather(*(sessions.use_login(ticket) for _ in range(8)))) == [False] * 7 + [True]


async def test_a_ticket_ends_with_its_time(tickets: Tickets) -> None:
    await tickets.put("login", "d1", 1)
    await asyncio.sleep(1.2)
    assert await tickets.get("login", "d1") is None
    assert await tickets.take("login", "d1") is None


async def test_a_session_is_open_until_it_is_closed_and_is_no_login(tickets: Tickets) -> None:
    sessions = Sessions(tickets)
    ticket = await sessions.open_session()
    assert await sessions.find(ticket)
    assert not await sessions.find(ticket + "x")
    assert not await sessions.use_login(ticket)
    await sessions.close_session(ticket)
    assert not await sessions.find(ticket)


async def test_who_is_signed_in_stays_so_while_redis_is_away(redis: Server, tmp_path: Path) -> None:
    client = connect(f"redis://127.0.0.1:{redis.port}/0", password_file(tmp_path))
    here, elsewhere = Sessions(RedisTickets(client)), Sessions(RedisTickets(client))
    ticket, closed = await here.open_session(), await here.open_session()
    assert await here.find(ticket)
    assert await here.find(closed)
    await here.close_session(closed)
    redis.kill()
    assert await here.find(ticket)
    with pytest.raises(StoreUnavailableError):
        await here.find(closed)
    with pytest.raises(StoreUnavailableError):
        await elsewhere.find(ticket)
    redis.start()
    assert await elsewhere.find(ticket)
    await client.aclose()


async def test_file_tickets_survive_a_restart_and_hold_no_ticket(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    ticket = await Sessions(FileTickets(path)).open_session()
    assert await Sessions(FileTickets(path)).find(ticket)
    assert ticket not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


async def test_somebody_elses_conversation_does_not_exist(history: History) -> None:
    kim, lee = "a" * 64, "b" * 64
    conversation = Conversation(owner=kim, title="mine")
    await history.create(conversation)
    assert await history.append(kim, conversation.id, Turn(role="user", content="private"))
    for other in (lee, SHARED):
        assert await history.get(other, conversation.id) is None
        assert await history.turns(other, conversation.id) == []
        assert not await history.append(other, conversation.id, Turn(role="user", content="x"))
        assert not await history.rename(other, conversation.id, "x")
        assert not await history.delete(other, conversation.id)
        await history.create(Conversation(id=conversation.id, owner=other))
        assert await history.recent(other) == []
    (head,) = await history.recent(kim)
    assert (head.title, head.message_count, head.owner) == ("mine", 1, kim)
    assert [turn.content for turn in await history.turns(kim, conversation.id)] == ["private"]
    assert await history.delete(kim, conversation.id)
    assert await history.recent(kim) == []


async def test_a_lost_index_does_not_give_a_conversation_away(tmp_path: Path) -> None:
    owner = "a" * 64
    first = FileHistory(tmp_path)
    conversation = Conversation(owner=owner)
    await first.create(conversation)
    await first.append(owner, conversation.id, Turn(role="user", content="private"))
    await first.close()
    (tmp_path / "index.json").unlink()
    second = FileHistory(tmp_path)
    assert await second.recent(SHARED) == []
    assert [head.title for head in await second.recent(owner)] == ["private"]
    await second.close()


async def test_conversations_from_before_people_had_their_own_are_the_keys(redis: Server, tmp_path: Path) -> None:
    client = connect(f"redis://127.0.0.1:{redis.port}/0", password_file(tmp_path))
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
    identifier = Conversation().id
    await client.hset(f"chat:conversation:{identifier}", mapping={"title": "old", **times})
    await client.zadd("chat:conversations", {identifier: 1})
    history = RedisHistory(client)
    assert [head.title for head in await history.recent(SHARED)] == ["old"]
    assert await history.append(SHARED, identifier, Turn(role="user", content="still here"))
    assert not await history.append("a" * 64, identifier, Turn(role="user", content="x"))
    assert [turn.content for turn in await history.turns(SHARED, identifier)] == ["still here"]
    await history.close()


async def test_a_persons_session_remembers_who_they_are_while_redis_is_away(redis: Server, tmp_path: Path) -> None:
    client = connect(f"redis://127.0.0.1:{redis.port}/0", password_file(tmp_path))
    sessions = Sessions(RedisTickets(client))
    kim = Person(owner="a" * 64, name="김하나", is_admin=False)
    ticket = await sessions.open_session(kim)
    kept = await sessions.find(ticket)
    assert kept is not None
    assert kept.person == kim
    redis.kill()
    assert await sessions.find(ticket) == kept
    await client.aclose()
