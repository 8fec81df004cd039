"""Somebody whom the organisation's issuer has let in."""

import hashlib
import json
from dataclasses import asdict, dataclass

NAME_CHARACTERS = 100


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who is signed in through the organisation, as far as the service remembers it."""

    owner: str
    """What their conversations are filed under: see `owner_of`."""
    name: str
    """What the page calls them."""
    is_admin: bool
    """Whether they may change the documents that all share."""

    def as_text(self) -> str:
        """The form in which a session keeps them."""
        return json.dumps(asdict(self), ensure_ascii=False)


def owner_of(issuer: str, subject: str) -> str:
    """The hash of a person's identifier, which is unique within its issuer only: no store learns who wrote what."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def person_from(text: str) -> Person | None:
    """The person in a session; None for one that was opened with the API key."""
    return Person(**json.loads(text)) if text.startswith("{") else None
