"""Where tickets (sessions and logins) are kept: only the hash of a ticket, when it ends, and what it stands for."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Kept:
    """A ticket that is good now."""

    seconds_left: int
    value: str


class Tickets(Protocol):
    """Hashes with an end. Every method may raise `StoreUnavailableError`."""

    async def put(self, kind: str, digest: str, ttl_seconds: int, value: str = "") -> None:
        """Keep a ticket for `ttl_seconds`."""
        ...

    async def get(self, kind: str, digest: str) -> Kept | None:
        """A ticket that is still good."""
        ...

    async def take(self, kind: str, digest: str) -> str | None:
        """Remove a ticket; its value for exactly one caller, and only while it was good."""
        ...
