"""Secrets of the vendor's package."""

from infra.config.aipp import DATABASE_PASSWORD, QUEUE_PASSWORD, REDIS_PASSWORD
from infra.config.secret_keys.row import SecretKey, unless_in_vault

_aipp = unless_in_vault(lambda stack: stack.aipp)

AIPP = (
    SecretKey(name=DATABASE_PASSWORD, purpose="the vendor's services to their database", is_needed=_aipp),
    SecretKey(name=REDIS_PASSWORD, purpose="the vendor's services to their Redis", is_needed=_aipp),
    SecretKey(name=QUEUE_PASSWORD, purpose="the vendor's services, and people, to their RabbitMQ", is_needed=_aipp),
)
