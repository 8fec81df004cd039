"""Where secrets come from."""

from infra.config.types import DnsLabel, Section


class VaultConfig(Section):
    """Secrets that External Secrets copies from Vault."""

    store: DnsLabel
    """ClusterSecretStore of the cluster."""
    path: str = "aihub"
    """Entry below the store's mount; its properties are named like our secret keys (redisPassword ...)."""


class SecretsConfig(Section):
    """Where secrets come from."""

    vault: VaultConfig | None = None
    """Absent: the stack's own encrypted configuration."""
