"""Tickets in Redis, which forgets them in time."""

from redis.asyncio import Redis

from chatbot.redis_client import available
from chatbot.sessions.protocol import Kept


class RedisTickets:
    """See `Tickets`."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def put(self, kind: str, digest: str, ttl_seconds: int, value: str = "") -> None:
        """See `Tickets.put`."""
        with available():
            await self._client.set(f"chat:{kind}:{digest}", value, ex=ttl_seconds)

    async def get(self, kind: str, digest: str) -> Kept | None:
        """See `Tickets.get`."""
        key = f"chat:{kind}:{digest}"
        with available():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.ttl(key)
            pipeline.get(key)
            seconds, value = await pipeline.execute()
        return Kept(seconds, value) if seconds > 0 and value is not None else None

    async def take(self, kind: str, digest: str) -> str | None:
        """See `Tickets.take`."""
        with available():
            value = await self._client.getdel(f"chat:{kind}:{digest}")
        return None if value is None else str(value)
