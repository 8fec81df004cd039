"""Chroma: documents and their embeddings."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.cluster import labels, selector
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import http_probe, pod_spec, resources, service_account

PORT = 8000
HEALTH = "/api/v2/heartbeat"


@dataclass(frozen=True, kw_only=True)
class ChromaArgs:
    """What a :class:`Chroma` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """Image with ``chroma`` 1.x on its path."""
    storage_class: str
    """StorageClass of the data volume."""
    storage_gib: int
    """Size of the data volume."""
    memory_mib: int
    """Memory of the container."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class Chroma(ComponentResource):
    """One Chroma server on one volume. It has no login: only the api may reach it (``network/``)."""

    host: Output[str]
    """DNS name inside the cluster."""

    def __init__(self, name: str, args: ChromaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:data:Chroma", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("data", name)
        volume = Volume(
            f"{name}-data",
            VolumeArgs(
                namespace=args.namespace,
                labels=its_labels,
                storage_class=args.storage_class,
                storage_gib=args.storage_gib,
            ),
            opts=child,
        )
        account = service_account(name, args.namespace, its_labels, args.pull_secret, self)
        workload = k8s.apps.v1.StatefulSet(
            f"{name}-server",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "replicas": 1,
                "service_name": name,
                "selector": {"match_labels": selector(name)},
                "template": {
                    "metadata": {"labels": its_labels},
                    "spec": pod_spec(
                        service_account=account,
                        containers=[_container(args)],
                        volumes=[{"name": "data", "persistent_volume_claim": {"claim_name": volume.claim}}],
                    ),
                },
            },
            opts=child,
        )
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={"selector": selector(name), "ports": [{"name": "http", "port": PORT, "target_port": "http"}]},
            # After the pods it points at: one that failed is then named alone, not with a Service that waits for it.
            opts=ResourceOptions(parent=self, depends_on=[workload]),
        )
        self.host = Output.concat(service.metadata["name"], ".", args.namespace, ".svc")
        self.register_outputs({"host": self.host})


def _container(args: ChromaArgs) -> ContainerArgsDict:
    return {
        "name": "chroma",
        "image": args.image,
        "command": ["chroma", "run", "--path", "/data", "--host", "0.0.0.0", "--port", str(PORT)],  # noqa: S104 - a pod
        "env": [{"name": "ANONYMIZED_TELEMETRY", "value": "False"}, {"name": "HOME", "value": "/tmp"}],  # noqa: S108
        "ports": [{"name": "http", "container_port": PORT}],
        "startup_probe": http_probe(HEALTH, "http", period_seconds=2, failures=150),
        "liveness_probe": http_probe(HEALTH, "http", period_seconds=20, failures=3),
        "readiness_probe": http_probe(HEALTH, "http", period_seconds=5, failures=3),
        "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
        "volume_mounts": [{"name": "data", "mount_path": "/data"}],
    }
