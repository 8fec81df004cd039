"""Chroma: documents and their embeddings."""

from dataclasses import dataclass

from pulumi import ComponentResource, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.store import StoreArgs, declare_store
from infra.workload import http_probe, resources

PORT = 8000
DATA_FOLDER = "/data"
HEALTH = "/api/v2/heartbeat"


@dataclass(frozen=True, kw_only=True)
class ChromaArgs(StoreArgs):
    """What a :class:`Chroma` needs from its caller; its image has ``chroma`` 1.x on its path."""


class Chroma(ComponentResource):
    """One Chroma server on one volume. It has no login: only the api may reach it (``network/``)."""

    host: Output[str]
    """DNS name inside the cluster."""

    def __init__(self, name: str, args: ChromaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:data:Chroma", name, {}, opts)
        server = _container(args)
        self.host = declare_store(
            self, name, args, room="data", container=server, ports={"http": PORT}, data_folder=DATA_FOLDER
        ).host
        self.register_outputs({"host": self.host})


def _container(args: ChromaArgs) -> ContainerArgsDict:
    return {
        "name": "chroma",
        "image": args.image,
        "command": ["chroma", "run", "--path", DATA_FOLDER, "--host", "0.0.0.0", "--port", str(PORT)],  # noqa: S104 - a pod
        "env": [
            {"name": "ANONYMIZED_TELEMETRY", "value": "False"},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - the pod's own emptyDir
        ],
        "ports": [{"name": "http", "container_port": PORT}],
        "startup_probe": http_probe(HEALTH, "http", period_seconds=2, failures=150),
        "liveness_probe": http_probe(HEALTH, "http", period_seconds=20, failures=3),
        "readiness_probe": http_probe(HEALTH, "http", period_seconds=5, failures=3),
        "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
    }
