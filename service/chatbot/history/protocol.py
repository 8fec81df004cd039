"""Conversations as the service sees them, whatever keeps them."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

TITLE_CHARACTERS = 80

SHARED = ""
"""Owner of the conversations of all who have the API key."""

Status = Literal["complete", "interrupted"]


def now() -> str:
    """This moment, RFC 3339, UTC, to the microsecond (the order of the list rests on it)."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message of a conversation."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    """Makes saving repeatable: a turn that is saved twice is there once."""
    role: Literal["user", "assistant"]
    content: str
    created_at: str = field(default_factory=now)
    images: tuple[str, ...] = ()
    """What came with a question, as `data:` URLs."""
    citations: tuple[dict[str, Any], ...] = ()
    status: Status = "complete"
    """`interrupted`: the reader left or the engine failed before the end."""
    replaces: str = ""
    """Id of the turn whose place this one takes; that one, and all that came after it, is forgotten."""

    def as_json(self) -> str:
        """One line; without the newer fields where they are empty, so that an older version reads it."""
        newer = ("images", "replaces")
        kept = {name: value for name, value in asdict(self).items() if name not in newer or value}
        return json.dumps(kept, ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str | bytes) -> "Turn":
        """What `as_json` wrote, also one of a newer version, whose fields are not known here.

        Raises:
            ValueError, TypeError: the line is no turn.
        """
        written = json.loads(line)
        if not isinstance(written, dict):
            raise TypeError("a turn is a JSON object")
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in written.items() if name in known})


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """The head of a conversation; times are RFC 3339, UTC."""

    id: str = field(default_factory=lambda: f"conv_{secrets.token_hex(8)}")
    owner: str = SHARED
    """Whose it is; for everybody else it does not exist."""
    title: str = ""
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    message_count: int = 0

    def with_turn(self, turn: Turn) -> "Conversation":
        """The head after `turn`: later, longer, and with a title if it had none."""
        return replace(
            self,
            title=self.title or title_from(turn),
            updated_at=max(self.updated_at, turn.created_at),
            message_count=self.message_count + 1,
        )


class History(Protocol):
    """A store of conversations. Every method may raise `StoreUnavailableError`.

    Somebody else's conversation is, to each method, one that does not exist.
    """

    async def recent(self, owner: str) -> Sequence[Conversation]:
        """All conversations of one owner, the most recently used first."""
        ...

    async def create(self, conversation: Conversation) -> None:
        """Keep a new, empty conversation; nothing happens if it is there already."""
        ...

    async def get(self, owner: str, conversation_id: str) -> Conversation | None:
        """The head of one conversation."""
        ...

    async def turns(self, owner: str, conversation_id: str) -> Sequence[Turn]:
        """The messages of one conversation, oldest first; none for an unknown one."""
        ...

    async def append(self, owner: str, conversation_id: str, turn: Turn) -> bool:
        """Add one message, once, and in the same step forget those it replaces.

        False: there is no such conversation (it may have been deleted meanwhile).
        """
        ...

    async def rename(self, owner: str, conversation_id: str, title: str) -> bool:
        """Give a title. False: no such conversation."""
        ...

    async def delete(self, owner: str, conversation_id: str) -> bool:
        """Forget a conversation and its messages. False: no such conversation."""
        ...

    async def ping(self) -> None:
        """Return if the store can be used now."""
        ...

    async def close(self) -> None:
        """Close files or connections."""
        ...


def joined(turns: Sequence[Turn], more: Sequence[Turn]) -> list[Turn]:
    """The turns after `more` were added, one by one."""
    made = list(turns)
    for turn in more:
        places = [place for place, known in enumerate(made) if turn.replaces and known.id == turn.replaces]
        made = [*(made[: places[0]] if places else made), turn]
    return made


def title_from(turn: Turn) -> str:
    """A title for a conversation that begins with `turn`: its first line, cut at a word."""
    if turn.role != "user":
        return ""
    line = " ".join(turn.content.split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    cut = line[:TITLE_CHARACTERS]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut else cut}…"
