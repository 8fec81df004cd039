"""Every secret of a stack, once: what it is for, which stacks need it, and where its value comes from.

A new one is a row in its room's file.
"""

from infra.config.secret_keys.aipp import AIPP
from infra.config.secret_keys.chat import CHAT
from infra.config.secret_keys.ci import CI
from infra.config.secret_keys.delivery import DELIVERY
from infra.config.secret_keys.network import NETWORK
from infra.config.secret_keys.observability import OBSERVABILITY
from infra.config.secret_keys.registry import REGISTRY
from infra.config.secret_keys.rollout import ROLLOUT
from infra.config.secret_keys.row import Derivation, Hash, Origin, SecretKey
from infra.config.secret_keys.storage import STORAGE
from infra.config.secret_keys.tools import TOOLS
from infra.config.stack import StackConfig

__all__ = ["SECRETS", "SECRET_KEYS", "Derivation", "Hash", "Origin", "SecretKey", "required_secrets"]

SECRETS = (
    *CHAT,
    *REGISTRY,
    *NETWORK,
    *OBSERVABILITY,
    *TOOLS,
    *STORAGE,
    *DELIVERY,
    *CI,
    *ROLLOUT,
    *AIPP,
)
"""In the order in which a missing one is reported."""

SECRET_KEYS = tuple(secret.name for secret in SECRETS)


def required_secrets(stack: StackConfig) -> tuple[str, ...]:
    """Return the secret keys that must be set for ``stack``."""
    return tuple(secret.name for secret in SECRETS if secret.is_needed(stack))
