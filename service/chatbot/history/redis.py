"""Conversations in Redis.

Keys: `chat:conversations` (sorted set: id by last use), `chat:conversation:<id>` (hash: title and times),
`chat:turns:<id>` (list of JSON), `chat:turn-ids:<id>` (set). A message is added by one Lua script, so that two api
replicas, a repeated attempt or a crash between two commands leave neither a gap nor a double.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime

from redis.asyncio import Redis

from chatbot.history.protocol import Conversation, Turn, title_from
from chatbot.redis_client import available, run_script

INDEX = "chat:conversations"

CREATE = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[2], 'title', ARGV[2], 'created_at', ARGV[3], 'updated_at', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[5], ARGV[1])
return 1
"""

APPEND = """
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
if redis.call('SADD', KEYS[4], ARGV[2]) == 0 then return 1 end
redis.call('RPUSH', KEYS[3], ARGV[3])
if redis.call('HGET', KEYS[2], 'title') == '' then redis.call('HSET', KEYS[2], 'title', ARGV[4]) end
if redis.call('HGET', KEYS[2], 'updated_at') < ARGV[5] then
  redis.call('HSET', KEYS[2], 'updated_at', ARGV[5])
  redis.call('ZADD', KEYS[1], ARGV[6], ARGV[1])
end
return 1
"""

RENAME = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'title', ARGV[1])
return 1
"""


class RedisHistory:
    """See `History`; the client is shared with the sessions and closed by its owner."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def recent(self) -> Sequence[Conversation]:
        """See `History.recent`."""
        with available():
            ids = [str(key) for key in await self._client.zrevrange(INDEX, 0, -1)]
            pipeline = self._client.pipeline(transaction=False)
            for identifier in ids:
                pipeline.hgetall(_head(identifier))
                pipeline.llen(_turns(identifier))
            answers = await pipeline.execute()
        heads = zip(ids, answers[::2], answers[1::2], strict=True)
        return [_conversation(identifier, head, count) for identifier, head, count in heads if head]

    async def create(self, conversation: Conversation) -> None:
        """See `History.create`."""
        await run_script(
            self._client,
            CREATE,
            [INDEX, _head(conversation.id)],
            [
                conversation.id,
                conversation.title,
                conversation.created_at,
                conversation.updated_at,
                _score(conversation.updated_at),
            ],
        )

    async def get(self, conversation_id: str) -> Conversation | None:
        """See `History.get`."""
        with available():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hgetall(_head(conversation_id))
            pipeline.llen(_turns(conversation_id))
            head, count = await pipeline.execute()
        return _conversation(conversation_id, head, count) if head else None

    async def turns(self, conversation_id: str) -> Sequence[Turn]:
        """See `History.turns`."""
        with available():
            rows = await self._client.lrange(_turns(conversation_id), 0, -1)
        return [Turn(**json.loads(row)) for row in rows]

    async def append(self, conversation_id: str, turn: Turn) -> bool:
        """See `History.append`."""
        keys = [INDEX, _head(conversation_id), _turns(conversation_id), _turn_ids(conversation_id)]
        arguments = [
            conversation_id,
            turn.id,
            json.dumps(asdict(turn), ensure_ascii=False),
            title_from(turn),
            turn.created_at,
            _score(turn.created_at),
        ]
        return await run_script(self._client, APPEND, keys, arguments) == 1

    async def rename(self, conversation_id: str, title: str) -> bool:
        """See `History.rename`."""
        return await run_script(self._client, RENAME, [_head(conversation_id)], [title]) == 1

    async def delete(self, conversation_id: str) -> bool:
        """See `History.delete`."""
        with available():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.zrem(INDEX, conversation_id)
            pipeline.delete(_head(conversation_id), _turns(conversation_id), _turn_ids(conversation_id))
            removed, _ = await pipeline.execute()
        return bool(removed)

    async def ping(self) -> None:
        """See `History.ping`."""
        with available():
            await self._client.ping()

    async def close(self) -> None:
        """Close the connections."""
        with suppress(OSError):
            await self._client.aclose()


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
        title=head["title"],
        created_at=head["created_at"],
        updated_at=head["updated_at"],
        message_count=count,
    )
