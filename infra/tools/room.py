"""From the configuration of the tools to their components."""

from infra.network.address import cluster_issuer, public_url
from infra.secrets.files import declare_secret
from infra.site import Site
from infra.tools.penpot import Penpot, PenpotArgs, secret_files


def declare(site: Site) -> None:
    """Declare what is asked for."""
    config, stack = site.stack.tools.penpot, site.stack
    if not config:
        return
    secret = declare_secret(site, "tools", "penpot-secrets", "tools", secret_files(config))
    Penpot(
        "penpot",
        PenpotArgs(
            namespace=site.namespaces["tools"],
            config=config,
            secret=secret.secret,
            secret_version=secret.version,
            url=public_url(stack, config.host),
            ingress_class=stack.network.ingress_class,
            cluster_issuer=cluster_issuer(stack),
            storage_class=stack.storage.storage_class,
        ),
        opts=site.options,
    )
