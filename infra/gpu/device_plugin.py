"""NVIDIA's device plugin: tells the kubelet how many `nvidia.com/gpu` a node has, and hands them to pods.

The chart alone, without the GPU operator: that installs drivers and toolkit on the node, which under WSL2 are Windows'.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chart import release
from infra.versions import NVIDIA_DEVICE_PLUGIN

RESOURCE = "nvidia.com/gpu"
ALL_NODES: Mapping[str, Any] = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}]}
            ]
        }
    }
}
"""In place of the chart's affinity to nodes that are labelled as having a card."""


@dataclass(frozen=True, kw_only=True)
class DevicePluginArgs:
    """What a :class:`DevicePlugin` needs from its caller."""

    namespace: Input[str]
    """Namespace of the release; its pods mount the kubelet's folder of sockets."""
    runtime_class: Input[str]
    """RuntimeClass of its own pods: it must see the cards to count them."""
    on_all_nodes: bool
    """Whether it runs on every Linux node, and not only where a label says that there is a card."""
    shares: int | None = None
    """How many pods a card takes; None: one."""
    refuse_several: bool = True
    """Whether a pod that asks for more than one share is refused."""


class DevicePlugin(ComponentResource):
    """The release of NVIDIA's device plugin."""

    resource: Output[str]
    """What pods ask for; known once the plugin runs."""

    def __init__(self, name: str, args: DevicePluginArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:gpu:DevicePlugin", name, {}, opts)
        installed = release(
            name, NVIDIA_DEVICE_PLUGIN, namespace=args.namespace, values=values(args), parent=self, timeout_seconds=300
        )
        self.resource = installed.name.apply(lambda _: RESOURCE)
        self.register_outputs({"resource": self.resource})


def values(args: DevicePluginArgs) -> Mapping[str, Any]:
    """Return the chart's values."""
    return {
        "runtimeClassName": args.runtime_class,
        # Without these two the chart gives its pods SYS_ADMIN as soon as there is a sharing.
        "migStrategy": "none",
        "deviceListStrategy": "envvar",
        # Says why in its log and ends, where it sees no card; else it would wait silently.
        "failOnInitError": True,
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}},
        **({"affinity": ALL_NODES} if args.on_all_nodes else {}),
        **({"config": {"map": {"shared": sharing(args)}, "default": "shared"}} if args.shares else {}),
    }


def sharing(args: DevicePluginArgs) -> str:
    """Return the plugin's own configuration file."""
    resources = [{"name": RESOURCE, "replicas": args.shares}]
    slicing = {"failRequestsGreaterThanOne": args.refuse_several, "resources": resources}
    return yaml.safe_dump({"version": "v1", "sharing": {"timeSlicing": slicing}}, sort_keys=False)
