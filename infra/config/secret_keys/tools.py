"""Secrets of the tools beside the chat."""

from infra.config.secret_keys.row import Origin, SecretKey, unless_in_vault

_penpot = unless_in_vault(lambda stack: stack.tools.penpot)

TOOLS = (
    SecretKey(
        name="penpotSecretKey",
        purpose="Penpot's own signatures, in place of the one that its chart publishes",
        is_needed=_penpot,
    ),
    SecretKey(
        name="penpotDatabasePassword",
        purpose="Penpot to its PostgreSQL",
        is_needed=_penpot,
        origin=Origin.GIVEN,
    ),
    SecretKey(name="penpotRedisPassword", purpose="Penpot to its Redis", is_needed=_penpot, origin=Origin.GIVEN),
)
