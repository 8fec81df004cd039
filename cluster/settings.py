"""The node's addresses, names and folders: every constant that two files share."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cluster.host import Host, detect
from toolchain.cache import folder
from toolchain.tools import KUBERNETES

NAME = "aihub"
"""Name of the node, of its CNI network and of its bridge."""
CONTEXT = "aihub-local"
"""Context in the administrator's kubeconfig."""
BRIDGE = "aihub0"
API_PORT = 6443
NODE_ADDRESS = "10.244.0.1"
"""Address of the bridge. The node is known by it, so that the machine may change its own (laptop, WSL2)."""
POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
DNS_ADDRESS = "10.96.0.10"
DOMAIN = "cluster.local"
NODE_PORTS = "30000-32767"
ETCD_PORT = 12379
"""Not 2379: Debian's etcd package may run one of its own there."""
ETCD_PEER_PORT = 12380
REGISTRY = "registry.local:5000"
STORAGE_CLASS = "local-path"
PROVISIONER = "aihub.local/path"
RENEWED_BEFORE_SECONDS = 30 * 86400
"""How long before its end ``up`` makes a certificate anew."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What the node's processes find containerd's shims, runc, iptables and conntrack on, whoever starts them."""


def builder_registries(host: str | None) -> str:
    """Return the registries file (``CONTAINERS_REGISTRIES_CONF``) of builders; ``host`` is a registry without TLS."""
    plain = f"""
# Our registry speaks plain HTTP.
[[registry]]
location = "{host}"
insecure = true
"""
    return f"""\
# For builders on this machine (CONTAINERS_REGISTRIES_CONF): short names mean nothing.
unqualified-search-registries = []
{plain if host else ""}"""


def complete(path: str) -> str:
    """Return a ``PATH`` with the system's folders behind its own: a user's, which ``su`` keeps, has no ``sbin``."""
    own = path.split(":") if path else []
    return ":".join([*own, *(folder for folder in PATH.split(":") if folder not in own)])


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node: where it lives on this machine, and what differs from machine to machine."""

    host: Host = field(default_factory=detect)
    state: Path = Path("/var/lib/aihub")
    """What survives a reboot: etcd, keys, images, volumes, logs."""
    run: Path = Path("/run/aihub")
    """What does not: sockets, records of processes."""
    binaries: Path = field(default_factory=lambda: folder(KUBERNETES) / "bin")
    """Folder of the Kubernetes binaries."""
    expose: str | None = None
    """CIDR of the machine's addresses on which NodePorts answer besides loopback; None: loopback only."""
    registry_ca: str | None = None
    """Certificate of the authority that signed the registry's, as PEM text; None: the registry speaks plain HTTP."""

    @property
    def pki(self) -> Path:
        """Folder of keys and certificates."""
        return self.state / "pki"

    @property
    def config(self) -> Path:
        """Folder of the components' configuration files."""
        return self.state / "config"

    @property
    def log(self) -> Path:
        """Folder of the components' logs."""
        return self.state / "log"

    @property
    def volumes(self) -> Path:
        """Folder of the provisioned volumes."""
        return self.state / "volumes"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """Socket of the node's own containerd."""
        return self.run / "containerd.sock"

    @property
    def registries(self) -> Path:
        """Registries file for builders (``CONTAINERS_REGISTRIES_CONF``)."""
        return self.state / "registries.conf"

    def key(self, name: str) -> Path:
        """Private key of the certificate ``name``."""
        return self.pki / f"{name}.key"

    def certificate(self, name: str) -> Path:
        """The certificate ``name``."""
        return self.pki / f"{name}.crt"

    @property
    def exposure(self) -> Path:
        """The file that keeps ``expose`` from one ``up`` to the next."""
        return self.state / "expose"

    @property
    def registry_authority(self) -> Path:
        """The file that keeps ``registry_ca``, and in which containerd reads it."""
        return self.state / "registry-ca.crt"

    def node_port_addresses(self) -> Iterable[str]:
        """CIDRs of the addresses on which NodePorts answer."""
        return ["127.0.0.0/8", *([self.expose] if self.expose else [])]


def load(expose: str | None = None, registry_ca: str | None = None) -> Node:
    """Return this machine's node.

    Args:
        expose: what ``up`` was told: a CIDR, ``none``, or None for what an earlier one was told.
        registry_ca: the same: a certificate, ``none``, or None.
    """
    node = Node()
    return dataclasses.replace(
        node, expose=_chosen(expose, node.exposure), registry_ca=_chosen(registry_ca, node.registry_authority)
    )


def _chosen(told: str | None, kept: Path) -> str | None:
    if told is None:
        return kept.read_text() if kept.exists() else None
    return None if told == "none" else told
