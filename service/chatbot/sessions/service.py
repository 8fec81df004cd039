"""Sessions and one-time logins: random tickets, of which only the hash is kept."""

import hashlib
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass

from chatbot.errors import StoreUnavailableError
from chatbot.sessions.person import Person, person_from
from chatbot.sessions.protocol import Tickets

SESSION_SECONDS = 30 * 24 * 3600
PERSON_SECONDS = 12 * 3600
"""A person's session: who leaves the organisation, or a group of it, is out after that at the latest."""
LOGIN_SECONDS = 15 * 60
REMEMBERED = 1000


@dataclass(frozen=True)
class Session:
    """A browser that is signed in."""

    person: Person | None
    """None: whoever has the API key."""


class Sessions:
    """Gives out tickets and knows them again."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        # What this process saw to be good, and until when: while the store is away, people who are signed in stay so.
        self._seen: OrderedDict[str, tuple[float, Session]] = OrderedDict()

    async def open_login(self) -> str:
        """A ticket that opens one session within `LOGIN_SECONDS`."""
        return await self._open("login", LOGIN_SECONDS)

    async def use_login(self, ticket: str) -> bool:
        """Use up a one-time login; False when it is unknown, used or too old."""
        return await self._tickets.take("login", _digest(ticket)) is not None

    async def open_session(self, person: Person | None = None) -> str:
        """A ticket for the session cookie."""
        if person is None:
            return await self._open("session", SESSION_SECONDS)
        return await self._open("session", PERSON_SECONDS, person.as_text())

    async def find(self, ticket: str) -> Session | None:
        """The session of a cookie, if it is good.

        Raises:
            StoreUnavailableError: the store is away and this process has not seen the session before.
        """
        digest = _digest(ticket)
        try:
            kept = await self._tickets.get("session", digest)
        except StoreUnavailableError:
            end, session = self._seen.get(digest, (0.0, None))
            if end > time.time():
                return session
            raise
        if kept is None:
            self._seen.pop(digest, None)
            return None
        session = Session(person_from(kept.value))
        self._seen[digest] = (time.time() + kept.seconds_left, session)
        self._seen.move_to_end(digest)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return session

    async def close_session(self, ticket: str) -> None:
        """Sign out."""
        digest = _digest(ticket)
        self._seen.pop(digest, None)
        await self._tickets.take("session", digest)

    async def _open(self, kind: str, seconds: int, value: str = "") -> str:
        ticket = secrets.token_urlsafe(32)
        await self._tickets.put(kind, _digest(ticket), seconds, value)
        return ticket


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
