"""Tickets in Redis, which forgets them in time."""

from redis.asyncio import Redis

from chatbot.redis_client import available


class RedisTickets:
    """See `Tickets`."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def put(self, kind: str, digest: str, ttl_seconds: int) -> None:
        """See `Tickets.put`."""
        with available():
            await self._client.set(f"chat:{kind}:{digest}", "1", ex=ttl_seconds)

    async def seconds_left(self, kind: str, digest: str) -> int:
        """See `Tickets.seconds_left`."""
        with available():
            return max(0, await self._client.ttl(f"chat:{kind}:{digest}"))

    async def take(self, kind: str, digest: str) -> bool:
        """See `Tickets.take`."""
        with available():
            return bool(await self._client.delete(f"chat:{kind}:{digest}"))
