"""Where images live."""

from pydantic import model_validator

from infra.config.types import Cron, DnsLabel, Gib, Image, RegistryHost, Section


class RegistryServerConfig(Section):
    """A registry of our own, inside the cluster; nodes reach it on the port of ``registry.host``."""

    namespace: DnsLabel = "registry"
    """A namespace of its own: a host port is the one thing here that Pod Security `restricted` forbids."""
    image: Image
    """The registry's image; it must reach the node without a registry."""
    storage_gib: Gib = 20
    """Volume for the layers; the engine's image alone takes about 4."""
    listen_address: str | None = None
    """Address of the node on which it listens, e.g. ``127.0.0.1`` on a single node; absent: all of them."""
    basic_auth: bool = False
    """Demand a login; then `aihub:registryHtpasswd` holds the accounts."""
    tls_secret: DnsLabel | None = None
    """Secret of type kubernetes.io/tls in the namespace; absent: plain HTTP."""
    garbage_collection: Cron = "0 4 * * 0"
    """When layers that no tag needs are removed: a time when nobody pushes."""


class RegistryConfig(Section):
    """Where images live and what they are built from."""

    host: RegistryHost
    """Address as in image references, e.g. ``registry.local:5000``."""
    project: DnsLabel = "aihub"
    """First path segment of our images (Harbor calls it a project)."""
    base_image: Image
    """Image that every Dockerfile of ours starts from: Debian 12 with Python 3.11."""
    username: str | None = None
    """Account for pushing and pulling, with `aihub:registryPassword`; absent: none is needed."""
    mirror: tuple[Image, ...] = ()
    """Third-party images that are copied to ``host/mirror/``."""
    server: RegistryServerConfig | None = None
    """Declare a registry of our own; absent: the one at ``host`` exists already."""

    @model_validator(mode="after")
    def _server_has_a_port(self) -> "RegistryConfig":
        if self.server and ":" not in self.host:
            raise ValueError("registry.server listens on the port of registry.host, which names none: use HOST:PORT")
        if self.server and self.server.basic_auth and not self.username:
            raise ValueError("registry.server.basicAuth locks out our own pushes: set registry.username too")
        return self
