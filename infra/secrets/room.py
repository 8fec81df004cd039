"""From the configuration of Vault to what this program declares for it."""

from infra.aipp.agent import agents
from infra.secrets.access import VaultAccess, VaultAccessArgs, VaultStore, VaultStoreArgs
from infra.secrets.entries import entries, paths
from infra.site import Site


def declare(site: Site) -> None:
    """Declare policies and role, and the store where it is ours; nothing where others see to it."""
    stack, vault = site.stack, site.stack.secrets.vault
    if not (vault and vault.access):
        return
    VaultAccess(
        "vault-access",
        VaultAccessArgs(
            config=vault.access,
            mount=vault.mount,
            paths=paths(entries(stack)),
            agents=agents(stack.aipp) if stack.aipp else {},
        ),
    )
    if vault.access.owns_store:
        # With the vendor's namespace, even where Argo CD makes it.
        ours = {space.namespace for space in site.plan.spaces.values() if space.ours}
        package = {stack.aipp.namespace} if stack.aipp else set()
        VaultStore(
            vault.store,
            VaultStoreArgs(
                config=vault.access,
                mount=vault.mount,
                namespaces=sorted(ours | package),
                authorities=stack.network.authorities if vault.access.signed_by_authorities else None,
            ),
            opts=site.options,
        )
