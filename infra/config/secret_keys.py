"""Every secret of a stack, once: what it is for, which stacks need it, and where its value comes from."""

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
    """Somebody else's: a person sets it with `pulumi config set --secret`."""


class Hash(StrEnum):
    """How a derived secret comes from its source."""

    SHA256 = "sha256"
    """Hexadecimal SHA-256: enough for 256 random bits."""
    BCRYPT = "bcrypt"
    """A bcrypt hash, as Argo CD and Dex want it."""
    HTPASSWD = "htpasswd"
    """A line `USER:bcrypt`, as the registry wants it; the user is `registry.username`."""


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


def _without_vault(stack: StackConfig) -> bool:
    return not stack.secrets.vault


SECRETS = (
    SecretKey(name="redisPassword", purpose="the api to Redis", is_needed=_without_vault),
    SecretKey(name="engineKey", purpose="the api to its engine", is_needed=_without_vault),
    SecretKey(
        name="apiKeySha256",
        purpose="people and programs to the api; the hash is all that the cluster gets",
        is_needed=_without_vault,
        origin=Origin.DERIVED,
        derivation=Derivation(source="apiKey", hash=Hash.SHA256),
    ),
    SecretKey(
        name="registryPassword",
        purpose="builders and nodes to the registry",
        # From the stack even where the rest is in Vault: this program needs the login itself, for pushing.
        is_needed=lambda stack: bool(stack.registry.username),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="registryHtpasswd",
        purpose="the registry's accounts, as hashes",
        is_needed=lambda stack: bool(stack.registry.server and stack.registry.server.basic_auth),
        origin=Origin.DERIVED,
        derivation=Derivation(source="registryPassword", hash=Hash.HTPASSWD),
    ),
)
"""In the order in which a missing one is reported."""

SECRET_KEYS = tuple(secret.name for secret in SECRETS)


def required_secrets(stack: StackConfig) -> tuple[str, ...]:
    """Return the secret keys that must be set for ``stack``."""
    return tuple(secret.name for secret in SECRETS if secret.is_needed(stack))
