"""How a command reaches a stack's cluster: our own node, or one the person has."""

import shutil
from dataclasses import dataclass
from pathlib import Path

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
    """Context that the stack names; None: the person's current one."""

    @property
    def own_node(self) -> bool:
        """Whether the cluster is the node that this project makes."""
        return self.context == NODE_CONTEXT

    @property
    def kubeconfig(self) -> Path | None:
        """File to read; None: the person's own."""
        return NODE_KUBECONFIG if self.own_node else None

    @property
    def variables(self) -> dict[str, str]:
        """Environment for builders that push to the node's registry."""
        return {"CONTAINERS_REGISTRIES_CONF": str(NODE_REGISTRIES)} if self.own_node else {}


def of_stack(paths: StackPaths) -> Access:
    """Read the cluster's context from the committed configuration."""
    import yaml  # noqa: PLC0415 - `make doctor` needs the rest of this file before anything is installed

    declared = yaml.safe_load(paths.declared_config.read_text()) or {}
    cluster = declared.get("config", {}).get("aihub:cluster") or {}
    return Access(context=cluster.get("context"))


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
