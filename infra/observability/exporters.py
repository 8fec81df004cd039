"""What speaks for those that know nothing of Prometheus: Redis, and the card."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, VolumeArgsDict

from infra.cluster import labels, selector
from infra.observability.names import GPU_EXPORTER_PORT, REDIS_EXPORTER_PORT
from infra.workload import SECRETS_VERSION, http_probe, pod_spec, resources, service_account

PASSWORD_FOLDER = "/etc/redis-exporter"  # noqa: S105 - a folder
PASSWORD_FILE = "passwords.json"  # noqa: S105 - the name of a file
GPU_LABEL = "nvidia.com/gpu.present"
"""Label of nodes with a card; the device plugin asks for it too."""


def redis_passwords(host: str, port: int) -> dict[str, str]:
    """Return the files of the Secret: the exporter looks its server's address up in one."""
    return {PASSWORD_FILE: f'{{"redis://{host}:{port}": "${{redisPassword}}"}}'}


@dataclass(frozen=True, kw_only=True)
class RedisExporterArgs:
    """What a :class:`RedisExporter` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child: Redis' own, so that its password is in no other."""
    image: str
    """Image of `redis_exporter`."""
    host: str
    """Host of Redis, as in :func:`redis_passwords`."""
    port: int
    """Its port."""
    passwords: Input[str]
    """Name of the Secret with :func:`redis_passwords`."""
    passwords_version: Input[str]
    """Changes with the password."""


class RedisExporter(ComponentResource):
    """A pod of its own instead of a second container beside Redis: a new exporter does not restart the store."""

    deployment: Output[str]
    """Name of the Deployment."""

    def __init__(self, name: str, args: RedisExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:RedisExporter", name, {}, opts)
        its_labels = labels("observability", name)
        container: ContainerArgsDict = {
            "name": "redis-exporter",
            "image": args.image,
            "env": [
                {"name": "REDIS_ADDR", "value": f"redis://{args.host}:{args.port}"},
                {"name": "REDIS_PASSWORD_FILE", "value": f"{PASSWORD_FOLDER}/{PASSWORD_FILE}"},
            ],
            "ports": [{"name": "metrics", "container_port": REDIS_EXPORTER_PORT}],
            "startup_probe": http_probe("/health", "metrics", period_seconds=2, failures=30),
            "liveness_probe": http_probe("/health", "metrics", period_seconds=20, failures=3),
            "readiness_probe": http_probe("/health", "metrics", period_seconds=10, failures=3),
            "resources": resources(cpu_millicores=100, memory_mib=32),
            "volume_mounts": [{"name": "passwords", "mount_path": PASSWORD_FOLDER, "read_only": True}],
        }
        passwords: VolumeArgsDict = {
            "name": "passwords",
            "secret": {"secret_name": args.passwords, "default_mode": 0o440},
        }
        account = service_account(name, args.namespace, its_labels, None, self)
        deployment = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "replicas": 1,
                "selector": {"match_labels": selector(name)},
                "template": {
                    "metadata": {"labels": its_labels, "annotations": {SECRETS_VERSION: args.passwords_version}},
                    "spec": pod_spec(service_account=account, containers=[container], volumes=[passwords]),
                },
            },
            opts=ResourceOptions(parent=self),
        )
        self.deployment = deployment.metadata["name"]
        self.register_outputs({"deployment": self.deployment})


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
