"""Conversations in Redis.

Keys: `chat:conversations` (sorted set: id by last use; a person's: `chat:conversations:<owner>`),
`chat:conversation:<id>` (hash: owner, title and times), `chat:turns:<id>` (list of JSON), `chat:turn-ids:<id>` (set).
A change is one Lua script, so that two api replicas, a repeated attempt or a crash between two commands leave neither a
gap nor a double; it takes the owner as its first argument and does nothing to somebody else's conversation.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from redis.asyncio import Redis

from chatbot.history.protocol import SHARED, Conversation, Turn, title_from
from chatbot.redis_client import available, run_script

CREATE = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[2], 'owner', ARGV[1], 'title', ARGV[3], 'created_at', ARGV[4], 'updated_at', ARGV[5])
redis.call('ZADD', KEYS[1], ARGV[6], ARGV[2])
return 1
"""

OWN = """
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
if (redis.call('HGET', KEYS[2], 'owner') or '') ~= ARGV[1] then return 0 end
"""

APPEND = f"""{OWN}
if redis.call('SADD', KEYS[4], ARGV[3]) == 0 then return 1 end
if ARGV[8] ~= '' then
  for place = redis.call('LLEN', KEYS[3]) - 1, 0, -1 do
    if cjson.decode(redis.call('LINDEX', KEYS[3], place)).id == ARGV[8] then
      redis.call('LTRIM', KEYS[3], 0, place - 1)
      if place == 0 then redis.call('DEL', KEYS[3]) end
      break
    end
  end
end
redis.call('RPUSH', KEYS[3], ARGV[4])
if redis.call('HGET', KEYS[2], 'title') == '' then redis.call('HSET', KEYS[2], 'title', ARGV[5]) end
if redis.call('HGET', KEYS[2], 'updated_at') < ARGV[6] then
  redis.call('HSET', KEYS[2], 'updated_at', ARGV[6])
  redis.call('ZADD', KEYS[1], ARGV[7], ARGV[2])
end
return 1
"""

RENAME = f"""{OWN}
redis.call('HSET', KEYS[2], 'title', ARGV[3])
return 1
"""

DELETE = f"""{OWN}
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
return 1
"""


class RedisHistory:
    """See `History`; the client is shared with the sessions and closed by its owner."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def recent(self, owner: str) -> Sequence[Conversation]:
        """See `History.recent`."""
        with available():
            ids = [str(key) for key in await self._client.zrevrange(_index(owner), 0, -1)]
            pipeline = self._client.pipeline(transaction=False)
            for identifier in ids:
                pipeline.hgetall(_head(identifier))
                pipeline.llen(_turns(identifier))
            answers = await pipeline.execute()
        heads = zip(ids, answers[::2], answers[1::2], strict=True)
        return [_conversation(identifier, head, count) for identifier, head, count in heads if head]

    async def create(self, conversation: Conversation) -> None:
        """See `History.create`."""
        times = (conversation.created_at, conversation.updated_at, _score(conversation.updated_at))
        await self._run(CREATE, conversation.owner, conversation.id, conversation.title, *times)

    async def get(self, owner: str, conversation_id: str) -> Conversation | None:
        """See `History.get`."""
        with available():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hgetall(_head(conversation_id))
            pipeline.llen(_turns(conversation_id))
            head, count = await pipeline.execute()
        conversation = _conversation(conversation_id, head, count) if head else None
        return conversation if conversation and conversation.owner == owner else None

    async def turns(self, owner: str, conversation_id: str) -> Sequence[Turn]:
        """See `History.turns`."""
        with available():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hget(_head(conversation_id), "owner")
            pipeline.lrange(_turns(conversation_id), 0, -1)
            its_owner, rows = await pipeline.execute()
        return [Turn.from_json(row) for row in rows] if (its_owner or SHARED) == owner else []

    async def append(self, owner: str, conversation_id: str, turn: Turn) -> bool:
        """See `History.append`."""
        head = (title_from(turn), turn.created_at, _score(turn.created_at))
        return await self._run(APPEND, owner, conversation_id, turn.id, turn.as_json(), *head, turn.replaces)

    async def rename(self, owner: str, conversation_id: str, title: str) -> bool:
        """See `History.rename`."""
        return await self._run(RENAME, owner, conversation_id, title)

    async def delete(self, owner: str, conversation_id: str) -> bool:
        """See `History.delete`."""
        return await self._run(DELETE, owner, conversation_id)

    async def ping(self) -> None:
        """See `History.ping`."""
        with available():
            await self._client.ping()

    async def close(self) -> None:
        """Close the connections."""
        with suppress(OSError):
            await self._client.aclose()

    async def _run(self, script: str, owner: str, identifier: str, *arguments: str | float) -> bool:
        keys = [_index(owner), _head(identifier), _turns(identifier), _turn_ids(identifier)]
        return await run_script(self._client, script, keys, [owner, identifier, *arguments]) == 1


def _index(owner: str) -> str:
    return f"chat:conversations:{owner}" if owner else "chat:conversations"


def _head(identifier: str) -> str:
    return f"chat:conversation:{identifier}"


def _turns(identifier: str) -> str:
    return f"chat:turns:{identifier}"


def _turn_ids(identifier: str) -> str:
    return f"chat:turn-ids:{identifier}"


def _score(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def _conversation(identifier: str, head: dict[str, str], count: int) -> Conversation:
    return Conversation(
        id=identifier,
        owner=head.get("owner", SHARED),
        title=head["title"],
        created_at=head["created_at"],
        updated_at=head["updated_at"],
        message_count=count,
    )
