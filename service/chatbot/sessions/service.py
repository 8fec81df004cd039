"""Sessions and one-time logins: random tickets, of which only the hash is kept."""

import hashlib
import secrets
import time
from collections import OrderedDict

from chatbot.errors import StoreUnavailableError
from chatbot.sessions.protocol import Tickets

SESSION_SECONDS = 30 * 24 * 3600
LOGIN_SECONDS = 15 * 60
REMEMBERED = 1000


class Sessions:
    """Gives out tickets and knows them again."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        # What this process saw to be good, and until when: while the store is away, people who are signed in stay so.
        self._seen: OrderedDict[str, float] = OrderedDict()

    async def open_login(self) -> str:
        """A ticket that opens one session within `LOGIN_SECONDS`."""
        return await self._open("login", LOGIN_SECONDS)

    async def use_login(self, ticket: str) -> bool:
        """Use up a one-time login; False when it is unknown, used or too old."""
        return await self._tickets.take("login", _digest(ticket))

    async def open_session(self) -> str:
        """A ticket for the session cookie."""
        return await self._open("session", SESSION_SECONDS)

    async def is_open(self, ticket: str) -> bool:
        """Whether a session cookie is good.

        Raises:
            StoreUnavailableError: the store is away and this process has not seen the session before.
        """
        digest = _digest(ticket)
        try:
            left = await self._tickets.seconds_left("session", digest)
        except StoreUnavailableError:
            if self._seen.get(digest, 0) > time.time():
                return True
            raise
        if left:
            self._seen[digest] = time.time() + left
            self._seen.move_to_end(digest)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        else:
            self._seen.pop(digest, None)
        return left > 0

    async def close_session(self, ticket: str) -> None:
        """Sign out."""
        digest = _digest(ticket)
        self._seen.pop(digest, None)
        await self._tickets.take("session", digest)

    async def _open(self, kind: str, seconds: int) -> str:
        ticket = secrets.token_urlsafe(32)
        await self._tickets.put(kind, _digest(ticket), seconds)
        return ticket


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
