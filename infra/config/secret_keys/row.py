"""One row of the table of secrets, and what most rows ask of a stack."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from infra.config.stack import StackConfig


class Origin(StrEnum):
    """Where a value comes from; `make up` makes all but the given ones, and keeps what it made."""

    RANDOM = "random"
    """256 random bits."""
    DERIVED = "derived"
    """Worked out from a secret that people use and the cluster must not know (see :class:`Hash`)."""
    GIVEN = "given"
    """Somebody else's: a person sets it with `make secret`."""


class Hash(StrEnum):
    """How a derived secret comes from its source."""

    SHA256 = "sha256"
    """Hexadecimal SHA-256: enough for 256 random bits."""
    BCRYPT = "bcrypt"
    """A bcrypt hash, as Argo CD and Dex want it."""
    HTPASSWD = "htpasswd"
    """A line `USER:bcrypt`, as the registry wants it; the user is `registry.username`."""
    COSIGN = "cosign"
    """A key pair of its own, locked with the source, as cosign wants it: a new source is a new pair."""


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """Where a derived secret comes from."""

    source: str
    """Name of the secret that people use, e.g. `apiKey`; `make up` makes it and keeps it in `.aihub/<stack>/`. It may
    be another row's name, too."""
    hash: Hash
    """How."""


@dataclass(frozen=True, kw_only=True)
class SecretKey:
    """One secret."""

    name: str
    """Configuration key, without the project's prefix."""
    purpose: str
    """Who proves what to whom with it."""
    is_needed: Callable[[StackConfig], bool]
    """Whether a stack needs it in its own configuration."""
    origin: Origin = Origin.RANDOM
    """Where the value comes from."""
    derivation: Derivation | None = None
    """For a derived one: from what, and how."""
    also_in_vault: bool = False
    """Whether pods read it from Vault even where this program needs it, too: the same value in both places."""
    encrypts: str | None = None
    """What is stored so that no other value can read it again; absent: nothing, it may be renewed at any time."""


def unless_in_vault(part: Callable[[StackConfig], object] = lambda _: True) -> Callable[[StackConfig], bool]:
    """Return whether a stack keeps its own secrets and has ``part`` of its configuration; absent: any stack does."""
    return lambda stack: not stack.secrets.vault and bool(part(stack))
