"""Where tickets (sessions and one-time logins) are kept: only the hash of a ticket, and when it ends."""

from typing import Protocol


class Tickets(Protocol):
    """Hashes with an end. Every method may raise `StoreUnavailableError`."""

    async def put(self, kind: str, digest: str, ttl_seconds: int) -> None:
        """Keep a ticket for `ttl_seconds`."""
        ...

    async def seconds_left(self, kind: str, digest: str) -> int:
        """How long a ticket is still good; 0 for none."""
        ...

    async def take(self, kind: str, digest: str) -> bool:
        """Remove a ticket; True for exactly one caller, and only while it was good."""
        ...
