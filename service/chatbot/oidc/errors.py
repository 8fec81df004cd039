"""Why somebody could not sign in through the organisation."""

from enum import StrEnum


class Failure(StrEnum):
    """The kinds that a person can do different things about."""

    AWAY = "away"
    """The issuer does not answer: wait, or use another way in."""
    SETUP = "setup"
    """The issuer and the chat do not fit together: the administrator's work, the log says what."""
    REFUSED = "refused"
    """The issuer says no, or the person did."""
    STALE = "stale"
    """This attempt cannot be finished (too old, used already, begun elsewhere): begin again."""
    INVALID = "invalid"
    """What came back is not what a true issuer sends to us for this attempt."""
    GROUP = "group"
    """Known to the issuer, but in none of the groups that may use the chat."""


class LoginError(Exception):
    """A failed attempt; `reason` is for the log and holds no secret."""

    def __init__(self, failure: Failure, reason: str, *, name: str = "") -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason
        self.name = name
        """Who it was, where that is known."""
