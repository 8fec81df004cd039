"""RabbitMQ: a queue, with its page for people."""

import json
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict, ProbeArgsDict

from infra.cluster import labels, selector
from infra.data.moving import moving
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import SECRETS_VERSION, Settings, SettingsArgs, command_probe, pod_spec, resources, service_account

PORT = 5672
MANAGEMENT_PORT = 15672
METRICS_PORT = 15692
CONFIG_FOLDER = "/etc/rabbitmq-config"
DEFINITIONS_FOLDER = "/etc/rabbitmq-definitions"
DATA_FOLDER = "/var/lib/rabbitmq"
PLUGINS = "[rabbitmq_management,rabbitmq_prometheus].\n"
_PATIENT: ProbeArgsDict = {"timeout_seconds": 20}


@dataclass(frozen=True, kw_only=True)
class RabbitMqArgs:
    """What a :class:`RabbitMq` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """Image of RabbitMQ 3.10 or later with the management plugin."""
    definitions: Input[str]
    """Name of the Secret with the file of :func:`definitions_files`."""
    definitions_version: Input[str]
    """Changes with the definitions, so that the server is restarted and takes them in."""
    storage_class: str
    """StorageClass of the data volume."""
    storage_gib: int
    """Size of the data volume."""
    cpu_millicores: int
    """CPU limit."""
    memory_mib: int
    """Memory, reserved whole."""
    move_after_seconds: int | None = None
    """After a node went silent, its pod is given up; absent: Kubernetes' own 300."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class RabbitMq(ComponentResource):
    """One RabbitMQ server on one volume, made by its definitions at every start."""

    host: Output[str]
    """DNS name inside the cluster."""

    def __init__(self, name: str, args: RabbitMqArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:data:RabbitMq", name, {}, opts)
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
                namespace=args.namespace,
                labels=its_labels,
                data={"rabbitmq.conf": configuration(args.memory_mib), "enabled_plugins": PLUGINS},
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
                    "metadata": {"labels": its_labels, "annotations": {SECRETS_VERSION: args.definitions_version}},
                    "spec": _pod(args, account, volume.claim, settings.config_map),
                },
            },
            opts=child,
        )
        ports = {"amqp": PORT, "management": MANAGEMENT_PORT, "metrics": METRICS_PORT}
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "selector": selector(name),
                "ports": [{"name": port, "port": number, "target_port": port} for port, number in ports.items()],
            },
            # After the pods it points at: one that failed is then named alone, not with a Service that waits for it.
            opts=ResourceOptions(parent=self, depends_on=[workload]),
        )
        self.host = Output.concat(service.metadata["name"], ".", args.namespace, ".svc")
        self.register_outputs({"host": self.host})


def configuration(memory_mib: int) -> str:
    """Return ``rabbitmq.conf``: publishers are held back before memory or disk run out; logs go to the console."""
    return "\n".join(
        [
            f"listeners.tcp.default = {PORT}",
            f"management.tcp.port = {MANAGEMENT_PORT}",
            f"prometheus.tcp.port = {METRICS_PORT}",
            f"load_definitions = {DEFINITIONS_FOLDER}/definitions.json",
            f"vm_memory_high_watermark.absolute = {memory_mib * 6 // 10}MiB",
            "disk_free_limit.absolute = 512MiB",
            "log.console = true",
            "log.file = false",
            "",
        ]
    )


def definitions_files(user: str, secret_key: str) -> dict[str, str]:
    """Return the template of the Secret with the definitions: one virtual host, one account that may use all of it.

    What the services declare themselves (queues, exchanges) is not here, and stays: taking definitions in adds and
    changes, it deletes nothing. The account is there before anybody can log in, and `guest` never is.
    """
    whole = {
        "users": [{"name": user, "password": f"${{{secret_key}}}", "tags": ["management"]}],
        "vhosts": [{"name": "/"}],
        "permissions": [{"user": user, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
    }
    return {"definitions.json": json.dumps(whole, indent=1) + "\n"}


def _pod(args: RabbitMqArgs, account: Input[str], claim: Input[str], config_map: Input[str]) -> PodSpecArgsDict:
    pod = pod_spec(
        service_account=account,
        containers=[_container(args)],
        volumes=[
            {"name": "data", "persistent_volume_claim": {"claim_name": claim}},
            {"name": "config", "config_map": {"name": config_map}},
            {"name": "definitions", "secret": {"secret_name": args.definitions, "default_mode": 0o440}},
        ],
        # It hands its queues to the disk before it goes.
        termination_grace_seconds=120,
    )
    return moving(pod, args.move_after_seconds)


def _container(args: RabbitMqArgs) -> ContainerArgsDict:
    diagnose = ["rabbitmq-diagnostics", "-q"]
    return {
        "name": "rabbitmq",
        "image": args.image,
        "env": [
            # Else its name is the pod's, and another pod would not find what this one kept.
            {"name": "RABBITMQ_NODENAME", "value": "rabbit@localhost"},
            {"name": "RABBITMQ_CONFIG_FILE", "value": f"{CONFIG_FOLDER}/rabbitmq.conf"},
            {"name": "RABBITMQ_ENABLED_PLUGINS_FILE", "value": f"{CONFIG_FOLDER}/enabled_plugins"},
            {"name": "RABBITMQ_MNESIA_BASE", "value": f"{DATA_FOLDER}/mnesia"},
            {"name": "HOME", "value": DATA_FOLDER},
        ],
        "ports": [
            {"name": "amqp", "container_port": PORT},
            {"name": "management", "container_port": MANAGEMENT_PORT},
            {"name": "metrics", "container_port": METRICS_PORT},
        ],
        # Each question starts an Erlang of its own, which takes seconds: seldom, and with time.
        "startup_probe": {**command_probe([*diagnose, "check_running"], period_seconds=10, failures=60), **_PATIENT},
        "liveness_probe": {"tcp_socket": {"port": "amqp"}, "period_seconds": 20, "failure_threshold": 3},
        "readiness_probe": {
            **command_probe([*diagnose, "check_port_connectivity"], period_seconds=30, failures=3),
            **_PATIENT,
        },
        "resources": resources(cpu_millicores=args.cpu_millicores, memory_mib=args.memory_mib),
        "volume_mounts": [
            {"name": "data", "mount_path": DATA_FOLDER},
            {"name": "config", "mount_path": CONFIG_FOLDER, "read_only": True},
            {"name": "definitions", "mount_path": DEFINITIONS_FOLDER, "read_only": True},
        ],
    }
