"""Where secrets come from."""

from urllib.parse import urlsplit

from infra.config.types import DnsLabel, Section, Url, VaultPath


class VaultAccessConfig(Section):
    """What this program declares in Vault: who may read exactly the entries of this stack, and nothing else there."""

    address: Url
    """Vault's address, as this program and External Secrets reach it, e.g. ``https://vault.example.com``."""
    auth_mount: VaultPath = "kubernetes"
    """Where Vault has the login by Kubernetes accounts for this cluster; it is there already."""
    role: DnsLabel = "aihub"
    """Role of that login, and first part of the policies' names."""
    service_account: DnsLabel = "external-secrets"
    """Account of External Secrets, the only one that gets the role."""
    service_account_namespace: DnsLabel = "external-secrets"
    """Its namespace."""
    owns_store: bool = False
    """Whether the ClusterSecretStore ``secrets.vault.store`` is made here; False: it is the cluster's own, and must log
    in with ``role``."""

    signed_by_authorities: bool = False
    """Whether one of `network.authorities` signed Vault's certificate: a store of ours then trusts these alone."""

    @property
    def port(self) -> int:
        """Where Vault listens."""
        address = urlsplit(self.address)
        return address.port or (443 if address.scheme == "https" else 80)


class VaultConfig(Section):
    """Secrets that External Secrets copies from Vault."""

    store: DnsLabel
    """ClusterSecretStore of the cluster."""
    mount: VaultPath = "secret"
    """Where Vault has the key-value engine, version 2, that the store reads."""
    path: VaultPath = "aihub"
    """Entry below the mount of the chat and its platform; its properties are named like our secret keys (redisPassword
    ...). The vendor's package has its own: ``aipp.vaultPath``."""
    access: VaultAccessConfig | None = None
    """Absent: whoever runs Vault gives the store its rights."""


class SecretsConfig(Section):
    """Where secrets come from."""

    vault: VaultConfig | None = None
    """Absent: the stack's own encrypted configuration."""
