"""The RuntimeClass: how a pod says that its container must see the card."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Output, ResourceOptions

from infra.cluster import labels


@dataclass(frozen=True, kw_only=True)
class RuntimeArgs:
    """What a :class:`Runtime` needs from its caller."""

    handler: str
    """Name of the RuntimeClass, and of the runtime in containerd's configuration on the node."""


class Runtime(ComponentResource):
    """One RuntimeClass. A pod that names it where containerd knows no such runtime is not started, and says so."""

    runtime_class: Output[str]
    """Name of the RuntimeClass."""

    def __init__(self, name: str, args: RuntimeArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:gpu:Runtime", name, {}, opts)
        made = k8s.node.v1.RuntimeClass(
            f"{name}-class",
            metadata={"name": args.handler, "labels": labels("gpu", name)},
            handler=args.handler,
            opts=ResourceOptions(parent=self),
        )
        self.runtime_class = made.metadata["name"]
        self.register_outputs({"runtime_class": self.runtime_class})
