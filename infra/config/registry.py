"""Where images live."""

from typing import Annotated

from pydantic import Field, model_validator

from infra.config.harbor import HarborConfig
from infra.config.network import Ipv4
from infra.config.pem import ServerCertificate
from infra.config.types import Cron, DnsLabel, Gib, Image, RegistryHost, Section
from infra.config.vendor_images import VendorImagesConfig

TLS_KEY = "registryTlsKey"
"""What the server's private key is called in the table of secrets."""


class RegistryTlsConfig(Section):
    """With which certificate it speaks TLS; the key is `aihub:registryTlsKey`."""

    certificate: ServerCertificate
    """Its certificate, as PEM text, and after it those up to its authority. It names the host of ``registry.host``."""


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
    cluster_ip: Ipv4 | None = None
    """Fixed address of its Service, from the cluster's service range; the pods that build find ``registry.host`` there.
    Absent: any, and the cluster's DNS knows the name."""
    basic_auth: bool = False
    """Demand a login; then `aihub:registryHtpasswd` holds the accounts."""
    tls: RegistryTlsConfig | None = None
    """Absent: plain HTTP."""
    garbage_collection: Cron = "0 4 * * 0"
    """When layers that no tag needs are removed: a time when nobody pushes."""
    keep_tags: Annotated[int, Field(ge=2, le=10_000, strict=True)] | None = None
    """How many tags of each repository stay, the ones pushed last; the others go before each garbage collection. More
    than builds that may be undone: a version that runs, or is gone back to, is among them. Absent: all stay."""

    @property
    def service_name(self) -> str:
        """Its name within the cluster."""
        return f"registry.{self.namespace}.svc"


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
    harbor: HarborConfig | None = None
    """What the Harbor at ``host`` holds; it makes the accounts, too. Absent: ``host`` is none, or others see to it."""
    vendor: VendorImagesConfig | None = None
    """A vendor's registry and the copies of its images; absent: there is none."""

    @property
    def hostname(self) -> str:
        """``host`` without its port."""
        return self.host.partition(":")[0]

    @property
    def asks_for_a_login(self) -> bool:
        """Whether nodes and builders need an account."""
        return bool(self.username or self.harbor)

    @model_validator(mode="after")
    def _server_has_a_port(self) -> "RegistryConfig":
        if self.server and ":" not in self.host:
            raise ValueError("registry.server listens on the port of registry.host, which names none: use HOST:PORT")
        if self.server and self.server.basic_auth and not self.username:
            raise ValueError("registry.server.basicAuth locks out our own pushes: set registry.username too")
        return self

    @model_validator(mode="after")
    def _harbor_makes_what_is_used(self) -> "RegistryConfig":
        if not self.harbor:
            return self
        if self.server or self.username:
            raise ValueError("registry.harbor is the registry and makes its accounts: leave server and username out")
        if self.project not in self.harbor.projects:
            raise ValueError(f"registry.project {self.project} is not among registry.harbor.projects: add it there")
        copies = self.vendor.images if self.vendor else ()
        if missing := {image.target.partition("/")[0] for image in copies} - self.harbor.projects.keys():
            raise ValueError(
                f"registry.vendor copies into {', '.join(sorted(missing))}, which is not among registry.harbor.projects"
            )
        return self
