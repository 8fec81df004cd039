"""From the configuration of the registry to its components."""

from dataclasses import replace

from infra.cluster import labels
from infra.config.registry import RegistryServerConfig
from infra.registry.access import PULL_SECRET, PULL_SECRET_TYPE, Registry, pull_secret_files
from infra.registry.mirror import Mirror, MirrorArgs
from infra.registry.server import RegistryServer, RegistryServerArgs
from infra.secrets.files import SecretFiles, SecretFilesArgs
from infra.site import Site


def declare(site: Site) -> Registry:
    """Declare the registry's server and the mirrored images, where the stack asks for them; return where to push."""
    config = site.stack.registry
    registry = Registry(
        host=config.host,
        project=config.project,
        base_image=config.base_image,
        username=config.username,
        password=site.secrets.values.get("registryPassword"),
    )
    if config.server:
        registry = replace(registry, server=_server(site, config.server))
    if config.mirror:
        Mirror("mirror", MirrorArgs(registry=registry, images=config.mirror))
    return registry


def pull_secret(site: Site, registry: Registry, room: str) -> SecretFiles | None:
    """Declare the Secret with which a room's pods pull their images; none where the registry asks for no login."""
    if not registry.username:
        return None
    name = f"{room}-{PULL_SECRET}"
    return SecretFiles(
        name,
        SecretFilesArgs(
            namespace=site.namespaces[room],
            labels=labels("registry", name),
            files=pull_secret_files(registry),
            # From the stack even where the rest is in Vault: this program needs the login itself, for pushing.
            values=site.secrets.values,
            type=PULL_SECRET_TYPE,
        ),
        opts=site.options,
    )


def _server(site: Site, config: RegistryServerConfig) -> RegistryServer:
    accounts = (
        SecretFiles(
            "registry-accounts",
            SecretFilesArgs(
                namespace=site.namespaces["registry"],
                labels=labels("registry", "registry"),
                files={"htpasswd": "${registryHtpasswd}"},
                values=site.secrets.values,
            ),
            opts=site.options,
        )
        if config.basic_auth
        else None
    )
    return RegistryServer(
        "registry",
        RegistryServerArgs(
            namespace=site.namespaces["registry"],
            image=config.image,
            port=int(site.stack.registry.host.rpartition(":")[2]),
            listen_address=config.listen_address,
            storage_class=site.stack.storage.storage_class,
            storage_gib=config.storage_gib,
            garbage_collection=config.garbage_collection,
            accounts=accounts.secret if accounts else None,
            accounts_version=accounts.version if accounts else None,
            tls_secret=config.tls_secret,
            metrics=bool(site.stack.observability.stack or site.stack.observability.monitors),
        ),
        opts=site.options,
    )
