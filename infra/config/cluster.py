"""Which cluster a stack is deployed to."""

from infra.config.types import Section


class ClusterConfig(Section):
    """Which cluster the stack is deployed to."""

    context: str | None = None
    """Context of the kubeconfig; absent: the only one that it has. Where it has several, commands refuse, and
    `pulumi up` by hand takes the current one."""
    node_address: str = "127.0.0.1"
    """Where people reach the node ports: this machine, or the address of a node."""
