"""Redis: the chat's history."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict

from infra.cluster import labels, selector
from infra.data.moving import moving
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import SECRETS_VERSION, Settings, SettingsArgs, command_probe, pod_spec, resources, service_account

PORT = 6379
AUTH_FOLDER = "/etc/redis-auth"


def auth_files(secret_key: str) -> Mapping[str, str]:
    """Return the files of a server's Secret: the password for the probe, and the configuration that sets it."""
    word = f"${{{secret_key}}}"
    return {"password": word, "auth.conf": f'requirepass "{word}"\n'}


AUTH_FILES = auth_files("redisPassword")
"""Files of the Secret of the chat's Redis."""

# An exit status of its own for errors (`-e`): a server that still loads its file answers, but is not ready.
_PING = f'REDISCLI_AUTH="$(cat {AUTH_FOLDER}/password)" exec redis-cli -e ping'


@dataclass(frozen=True, kw_only=True)
class RedisArgs:
    """What a :class:`Redis` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """Image with ``redis-server`` and ``redis-cli`` 7 on its path."""
    auth: Input[str]
    """Name of the Secret with :data:`AUTH_FILES`."""
    auth_version: Input[str]
    """Changes with the password, so that the server is restarted with it."""
    storage_class: str
    """StorageClass of the data volume."""
    storage_gib: int
    """Size of the data volume."""
    memory_mib: int
    """Memory limit of the container."""
    move_after_seconds: int | None = None
    """After a node went silent, its pod is given up; absent: Kubernetes' own 300."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class Redis(ComponentResource):
    """One Redis server on one volume: a claim, a configuration, a StatefulSet, a Service."""

    host: Output[str]
    """DNS name inside the cluster."""

    def __init__(self, name: str, args: RedisArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:data:Redis", name, {}, opts)
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
        settings = Settings(
            f"{name}-config",
            SettingsArgs(
                namespace=args.namespace, labels=its_labels, data={"redis.conf": configuration(args.memory_mib)}
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
                    "metadata": {"labels": its_labels, "annotations": {SECRETS_VERSION: args.auth_version}},
                    "spec": _pod(args, account, volume.claim, settings.config_map),
                },
            },
            opts=child,
        )
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={"selector": selector(name), "ports": [{"name": "redis", "port": PORT, "target_port": "redis"}]},
            # After the pods it points at: one that failed is then named alone, not with a Service that waits for it.
            opts=ResourceOptions(parent=self, depends_on=[workload]),
        )
        self.host = Output.concat(service.metadata["name"], ".", args.namespace, ".svc")
        self.register_outputs({"host": self.host})


def configuration(memory_mib: int) -> str:
    """Return ``redis.conf``: nothing acknowledged is lost but the last second, nothing is evicted.

    A quarter of the memory stays free for the copy that rewriting the append-only file makes.
    """
    return "\n".join(
        [
            "bind * -::*",
            f"port {PORT}",
            "dir /data",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            f"maxmemory {memory_mib * 3 // 4}mb",
            "maxmemory-policy noeviction",
            f"include {AUTH_FOLDER}/auth.conf",
            "",
        ]
    )


def _pod(args: RedisArgs, account: Input[str], claim: Input[str], config_map: Input[str]) -> PodSpecArgsDict:
    pod = pod_spec(
        service_account=account,
        containers=[_container(args)],
        volumes=[
            {"name": "data", "persistent_volume_claim": {"claim_name": claim}},
            {"name": "config", "config_map": {"name": config_map}},
            {"name": "auth", "secret": {"secret_name": args.auth, "default_mode": 0o440}},
        ],
    )
    return moving(pod, args.move_after_seconds)


def _container(args: RedisArgs) -> ContainerArgsDict:
    ping = ["sh", "-c", _PING]
    return {
        "name": "redis",
        "image": args.image,
        "command": ["redis-server", "/etc/redis-config/redis.conf"],
        "ports": [{"name": "redis", "container_port": PORT}],
        # Loading a large append-only file takes minutes; liveness only asks whether the server listens.
        "startup_probe": command_probe(ping, period_seconds=2, failures=300),
        "liveness_probe": {"tcp_socket": {"port": "redis"}, "period_seconds": 20, "failure_threshold": 3},
        "readiness_probe": command_probe(ping, period_seconds=10, failures=3),
        "resources": resources(cpu_millicores=500, memory_mib=args.memory_mib),
        "volume_mounts": [
            {"name": "data", "mount_path": "/data"},
            {"name": "config", "mount_path": "/etc/redis-config", "read_only": True},
            {"name": "auth", "mount_path": AUTH_FOLDER, "read_only": True},
        ],
    }
