"""What speaks for a card that knows nothing of Prometheus."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.cluster import labels, selector
from infra.observability.names import GPU_EXPORTER_PORT
from infra.workload import http_probe, pod_spec, resources, service_account

GPU_LABEL = "nvidia.com/gpu.present"
"""Label of nodes with a card; the device plugin asks for it too."""


@dataclass(frozen=True, kw_only=True)
class GpuExporterArgs:
    """What a :class:`GpuExporter` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: str
    """Image of `nvidia_gpu_exporter`."""
    runtime_class: str
    """RuntimeClass that brings `nvidia-smi` into the container."""
    on_all_nodes: bool
    """Whether it runs on every node, and not only where a label says that there is a card."""


class GpuExporter(ComponentResource):
    """One pod on each node with a card. It asks for no card: the engine keeps the whole of it."""

    daemon_set: Output[str]
    """Name of the DaemonSet."""

    def __init__(self, name: str, args: GpuExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:GpuExporter", name, {}, opts)
        its_labels = labels("observability", name)
        container: ContainerArgsDict = {
            "name": "gpu-exporter",
            "image": args.image,
            # How a container asks the NVIDIA runtime for a look at all cards; `utility` is nvidia-smi, no computing.
            "env": [
                {"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"},
                {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "utility"},
            ],
            "ports": [{"name": "metrics", "container_port": GPU_EXPORTER_PORT}],
            "startup_probe": http_probe("/-/healthy", "metrics", period_seconds=2, failures=30),
            "liveness_probe": http_probe("/-/healthy", "metrics", period_seconds=20, failures=3),
            "readiness_probe": http_probe("/-/ready", "metrics", period_seconds=10, failures=3),
            "resources": resources(cpu_millicores=200, memory_mib=64),
        }
        account = service_account(name, args.namespace, its_labels, None, self)
        pod = pod_spec(service_account=account, containers=[container])
        pod["runtime_class_name"] = args.runtime_class
        if not args.on_all_nodes:
            pod["node_selector"] = {GPU_LABEL: "true"}
        daemon_set = k8s.apps.v1.DaemonSet(
            f"{name}-daemon-set",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "selector": {"match_labels": selector(name)},
                "template": {"metadata": {"labels": its_labels}, "spec": pod},
            },
            opts=ResourceOptions(parent=self),
        )
        self.daemon_set = daemon_set.metadata["name"]
        self.register_outputs({"daemon_set": self.daemon_set})
