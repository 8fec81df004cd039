"""How a command reaches a stack's cluster: our own node, or one the person has."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster import apt
from cluster.settings import builder_registries
from ops.errors import OpsError
from ops.paths import StackPaths
from toolchain.ensure import ready
from toolchain.tools import KUBERNETES

NODE_CONTEXT = "aihub-local"
"""The kubectl context of the node that ``cluster/`` makes; a stack that names another brings its own cluster."""
NODE_KUBECONFIG = Path("/var/lib/aihub/kubeconfig")
NODE_REGISTRIES = Path("/var/lib/aihub/registries.conf")


@dataclass(frozen=True)
class Access:
    """Where the stack's cluster is."""

    context: str | None
    """Context that the stack names; None: the only one that they have (see :mod:`ops.kubectl`)."""
    plain_registry: str | None = None
    """Address of the registry that the stack makes, where that speaks plain HTTP; None: there is none."""
    hosts: tuple[str, ...] = ()
    """Where the stack's own node ports and registry are: a proxy that the environment names is not asked for them."""

    @property
    def own_node(self) -> bool:
        """Whether the cluster is the node that this project makes."""
        return self.context == NODE_CONTEXT

    @property
    def kubeconfig(self) -> Path | None:
        """File to read; None: the person's own."""
        return NODE_KUBECONFIG if self.own_node else None

    def builder_variables(self, folder: Path) -> dict[str, str]:
        """Return the environment for builders: which registry speaks plain HTTP, and the machine's way to Debian.

        Our own node brings the former along; for a registry on another cluster it is written into ``folder``. The
        latter is lent to the first images of our own node, which is built on this machine with it too.
        """
        if self.own_node:
            lent = apt.build_secrets(folder / "build")
            variables = {f"AIHUB_BUILD_{name.replace('.', '_').upper()}": str(file) for name, file in lent.items()}
            return {"CONTAINERS_REGISTRIES_CONF": str(NODE_REGISTRIES), **variables}
        if self.plain_registry is None:
            return {}
        file = folder / NODE_REGISTRIES.name
        file.write_text(builder_registries(self.plain_registry))
        return {"CONTAINERS_REGISTRIES_CONF": str(file)}


def of_stack(paths: StackPaths) -> Access:
    """Read from the committed configuration which cluster it is, and how its registry is spoken to."""
    import yaml  # noqa: PLC0415 - `make doctor` needs the rest of this file before anything is installed

    config = (yaml.safe_load(paths.declared_config.read_text()) or {}).get("config", {})
    cluster, registry = config.get("aihub:cluster") or {}, config.get("aihub:registry") or {}
    server = registry.get("server") or {}
    is_plain = server and not server.get("tls")
    hosts = [cluster.get("nodeAddress"), registry.get("host", "").partition(":")[0] if server else None]
    return Access(
        context=cluster.get("context"),
        plain_registry=registry.get("host") if is_plain else None,
        hosts=tuple(host for host in hosts if host),
    )


def kubectl() -> Path:
    """Return kubectl: ours if it was made, else the person's.

    Raises:
        OpsError: there is neither.
    """
    if place := ready(KUBERNETES):
        return place / "kubectl"
    if found := shutil.which("kubectl"):
        return Path(found)
    raise OpsError("kubectl is neither on PATH nor in the cache", "python3 -m toolchain kubernetes makes it")
