"""From the configuration of the registry to its components."""

from dataclasses import replace
from functools import partial

import pulumi
from pulumi import Input, Output, RunError

from infra.cluster import labels
from infra.config import pem
from infra.config.harbor import HarborConfig
from infra.config.registry import TLS_KEY, RegistryServerConfig, RegistryTlsConfig
from infra.config.secrets import VaultConfig
from infra.config.vendor_images import VendorImagesConfig
from infra.registry.access import (
    BUILDER,
    COPIER,
    PASSWORD_KEY,
    PULL_SECRET_TYPE,
    PULLER_KEY,
    Account,
    Registry,
    pull_secret_files,
    pull_secret_name,
    puller_of,
    robot_name,
)
from infra.registry.copies import Copies, CopiesArgs, SourceLogin
from infra.registry.harbor import Harbor, HarborArgs
from infra.registry.mirror import Mirror, MirrorArgs
from infra.registry.server import RegistryServer, RegistryServerArgs
from infra.secrets.files import SecretFiles, SecretFilesArgs
from infra.site import Site

ADMIN_KEY = "harborAdminPassword"
VENDOR_KEY, VENDOR_PULL_KEY = "vendorRegistryPassword", "vendorPullPassword"
"""What the passwords are called in the table of secrets."""


def declare(site: Site) -> Registry:
    """Declare the registry's server or Harbor's projects, and the copies, where the stack asks for them.

    Returns:
        Where to push, and with which account.
    """
    config = site.stack.registry
    registry = Registry(
        host=config.host,
        project=config.project,
        base_image=config.base_image,
        username=config.username,
        password=site.secrets.values.get(PASSWORD_KEY),
    )
    copier = registry
    if config.server:
        registry = copier = replace(registry, server=_server(site, config.server))
    if config.harbor:
        harbor = _harbor(site, config.harbor)
        registry = replace(
            registry,
            username=robot_name(config.harbor, BUILDER),
            password=harbor.builder_password,
            server=harbor,
        )
        copier = replace(registry, username=robot_name(config.harbor, COPIER), password=harbor.copier_password)
    if config.mirror:
        Mirror("mirror", MirrorArgs(registry=registry, images=config.mirror))
    if config.vendor:
        _vendor_images(site, config.vendor, copier)
    return registry


def pull_secret(site: Site, registry: Registry, room: str, *, vault: VaultConfig | None = None) -> SecretFiles | None:
    """Declare the Secret with which a room's pods pull their images; none where the registry asks for no login.

    Args:
        site: the installation.
        registry: where the images are.
        room: whose namespace it is in.
        vault: where External Secrets finds Harbor's password of the nodes, for a namespace that Argo CD makes. Absent:
            from the stack even where the rest is in Vault, since this program needs the login itself.
    """
    account = puller_of(site.stack.registry)
    return _login(site, account, pull_secret_name(room), room, vault=vault) if account and registry.username else None


def push_secret(site: Site, registry: Registry, room: str) -> SecretFiles | None:
    """Declare the Secret with which a room's pods push what they build, and pull what they build from."""
    if not registry.username or registry.password is None:
        return None
    account = Account(host=registry.host, username=registry.username, key=PASSWORD_KEY)
    return _login(site, account, pull_secret_name(room), room, password=registry.password)


def vendor_pull_secret(site: Site, name: str, room: str) -> SecretFiles | None:
    """Declare the Secret with which nodes pull from the vendor's own registry; none where others make it."""
    vendor = site.stack.registry.vendor
    if not (vendor and vendor.username):
        return None
    account = Account(host=vendor.host, username=vendor.username, key=VENDOR_PULL_KEY)
    return _login(site, account, name, room, vault=site.stack.secrets.vault)


def _login(
    site: Site,
    account: Account,
    name: str,
    room: str,
    *,
    password: Input[str] | None = None,
    vault: VaultConfig | None = None,
) -> SecretFiles:
    """Declare an account's Secret: with a password that only this program knows, with Vault's, or with the stack's."""
    return SecretFiles(
        name,
        SecretFilesArgs(
            namespace=site.namespaces[room],
            labels=labels("registry", name),
            files=pull_secret_files(account),
            values=site.secrets.values if password is None else {account.key: password},
            vault=vault,
            type=PULL_SECRET_TYPE,
        ),
        opts=site.options,
    )


def _harbor(site: Site, config: HarborConfig) -> Harbor:
    registry = site.stack.registry
    vendor = registry.vendor
    copied = {image.target.partition("/")[0] for image in vendor.images} if vendor and vendor.mirror else set()
    return Harbor(
        "harbor",
        HarborArgs(
            url=f"https://{registry.host}",
            config=config,
            password=site.secrets.values[ADMIN_KEY],
            puller_password=site.secrets.values[PULLER_KEY],
            built=registry.project,
            copied=sorted(copied),
        ),
    )


def _vendor_images(site: Site, config: VendorImagesConfig, registry: Registry) -> None:
    if not config.mirror:
        pulumi.log.warn(
            "aihub:registry.vendor.mirror is false: none of the vendor's images is copied. `make images` prints the "
            "digests to write into registry.vendor.images; then set it to true."
        )
        return
    password = site.secrets.values.get(VENDOR_KEY)
    login = (
        SourceLogin(host=config.host, username=config.username, password=password)
        if config.username and password is not None
        else None
    )
    # By digest alone: the tag says nothing more, and may have moved since.
    copies = {
        f"{config.host}/{image.path}@{image.digest}": f"{registry.host}/{image.target}" for image in config.images
    }
    Copies("vendor-images", CopiesArgs(registry=registry, copies=copies, login=login))


def _tls(site: Site, config: RegistryTlsConfig) -> SecretFiles:
    if end := pem.end_soon(pem.certificates(config.certificate)):
        pulumi.log.warn(
            f"aihub:registry.server.tls.certificate runs out on {end:%Y-%m-%d}, and then nobody pushes or pulls: have "
            "a new one made (docs/registry.md)"
        )
    return SecretFiles(
        "registry-tls",
        SecretFilesArgs(
            namespace=site.namespaces["registry"],
            labels=labels("registry", "registry"),
            files={"tls.crt": config.certificate, "tls.key": f"${{{TLS_KEY}}}"},
            values={TLS_KEY: Output.from_input(site.secrets.values[TLS_KEY]).apply(partial(_fitting, config))},
            type="kubernetes.io/tls",
        ),
        opts=site.options,
    )


def _fitting(config: RegistryTlsConfig, key: str) -> str:
    """Return the key of a certificate; a preview's stand-in for one is none, and passes.

    Raises:
        RunError: it is another's.
    """
    if "PRIVATE KEY-----" in key and not pem.fits(pem.certificates(config.certificate)[0], key):
        raise RunError(f"aihub:{TLS_KEY}: {': '.join(pem.OTHER_KEY)}")
    return key


def _server(site: Site, config: RegistryServerConfig) -> RegistryServer:
    tls = _tls(site, config.tls) if config.tls else None
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
            cluster_ip=config.cluster_ip,
            storage_class=site.stack.storage.storage_class,
            storage_gib=config.storage_gib,
            garbage_collection=config.garbage_collection,
            keep_tags=config.keep_tags,
            accounts=accounts.secret if accounts else None,
            accounts_version=accounts.version if accounts else None,
            tls_secret=tls.secret if tls else None,
            tls_version=tls.version if tls else None,
            metrics=bool(site.stack.observability.stack or site.stack.observability.monitors),
        ),
        opts=site.options,
    )
