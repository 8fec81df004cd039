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
    """Worked out from another secret that only people keep (a hash of the API key)."""
    GIVEN = "given"
    """Somebody else's: a person sets it with `pulumi config set --secret`."""


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
        origin=Origin.GIVEN,
    ),
)
"""In the order in which a missing one is reported."""

SECRET_KEYS = tuple(secret.name for secret in SECRETS)


def required_secrets(stack: StackConfig) -> tuple[str, ...]:
    """Return the secret keys that must be set for ``stack``."""
    return tuple(secret.name for secret in SECRETS if secret.is_needed(stack))
