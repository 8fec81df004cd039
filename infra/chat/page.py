"""The page as a workload of its own: the built files, served by nginx."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra.chat.names import PAGE_PORT
from infra.cluster import labels, selector
from infra.workload import http_probe, pod_spec, resources, service, service_account

DRAIN_SECONDS = 5
"""A stopping pod still takes requests so long: by then every node has left it out of the Service."""


@dataclass(frozen=True, kw_only=True)
class PageArgs:
    """What a :class:`Page` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """The page's image."""
    replicas: int
    """Number of pods."""
    cpu_millicores: int
    """CPU limit of a pod."""
    memory_mib: int
    """Memory of a pod, reserved whole."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class Page(ComponentResource):
    """Replicas behind a Service; they call nobody: the browser asks the api itself, at the same host name."""

    service: Output[str]
    """Name of the Service."""

    def __init__(self, name: str, args: PageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:Page", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("chat", name)
        metadata: ObjectMetaArgsDict = {"name": name, "namespace": args.namespace, "labels": its_labels}
        pod = pod_spec(
            service_account=service_account(name, args.namespace, its_labels, args.pull_secret, self),
            containers=[_container(args)],
        )
        workload = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec={
                "replicas": args.replicas,
                "strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}},
                "selector": {"match_labels": selector(name)},
                "template": {"metadata": {"labels": its_labels}, "spec": pod},
            },
            opts=child,
        )
        k8s.policy.v1.PodDisruptionBudget(
            f"{name}-disruption-budget",
            metadata=metadata,
            spec={"max_unavailable": 1, "selector": {"match_labels": selector(name)}},
            opts=child,
        )
        self.service = service(
            name, args.namespace, its_labels, ports={"http": PAGE_PORT}, workload=workload, parent=self
        )
        self.register_outputs({"service": self.service})


def _container(args: PageArgs) -> ContainerArgsDict:
    return {
        "name": "page",
        "image": args.image,
        "ports": [{"name": "http", "container_port": PAGE_PORT}],
        "startup_probe": http_probe("/healthz", "http", period_seconds=1, failures=30),
        "liveness_probe": http_probe("/healthz", "http", period_seconds=20, failures=3),
        "readiness_probe": http_probe("/healthz", "http", period_seconds=5, failures=2),
        "lifecycle": {"pre_stop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "resources": resources(cpu_millicores=args.cpu_millicores, memory_mib=args.memory_mib),
    }
