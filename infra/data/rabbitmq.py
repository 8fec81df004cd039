"""RabbitMQ: a queue, with its page for people."""

import json
from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, ProbeArgsDict

from infra.folders import Folder
from infra.store import StoreArgs, declare_store
from infra.workload import SECRETS_VERSION, command_probe, resources

PORT = 5672
MANAGEMENT_PORT = 15672
METRICS_PORT = 15692
PORTS = {"amqp": PORT, "management": MANAGEMENT_PORT, "metrics": METRICS_PORT}
CONFIG_FOLDER = "/etc/rabbitmq-config"
DEFINITIONS_FOLDER = "/etc/rabbitmq-definitions"
DATA_FOLDER = "/var/lib/rabbitmq"
PLUGINS = "[rabbitmq_management,rabbitmq_prometheus].\n"
_PATIENT: ProbeArgsDict = {"timeout_seconds": 20}


@dataclass(frozen=True, kw_only=True)
class RabbitMqArgs(StoreArgs):
    """What a :class:`RabbitMq` needs from its caller; its image is 3.10 or later, with the management plugin."""

    definitions: Input[str]
    """Name of the Secret with the file of :func:`definitions_files`."""
    definitions_version: Input[str]
    """Changes with the definitions, so that the server is restarted and takes them in."""
    cpu_millicores: int
    """CPU limit."""


class RabbitMq(ComponentResource):
    """One RabbitMQ server on one volume, made by its definitions at every start."""

    host: Output[str]
    """DNS name inside the cluster."""

    def __init__(self, name: str, args: RabbitMqArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:data:RabbitMq", name, {}, opts)
        config = {"rabbitmq.conf": configuration(args.memory_mib), "enabled_plugins": PLUGINS}
        self.host = declare_store(
            self,
            name,
            args,
            room="data",
            container=_container(args),
            ports=PORTS,
            data_folder=DATA_FOLDER,
            config_folder=CONFIG_FOLDER,
            config=config,
            folders=[Folder.of_secret("definitions", DEFINITIONS_FOLDER, args.definitions)],
            annotations={SECRETS_VERSION: args.definitions_version},
            # It hands its queues to the disk before it goes.
            termination_grace_seconds=120,
        ).host
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
            # Besides the console it insists on a file for its upgrades, and the image's own folder is read-only.
            {"name": "RABBITMQ_LOG_BASE", "value": f"{DATA_FOLDER}/log"},
            {"name": "HOME", "value": DATA_FOLDER},
        ],
        "ports": [{"name": name, "container_port": number} for name, number in PORTS.items()],
        # Each question starts an Erlang of its own, which takes seconds: seldom, and with time.
        "startup_probe": {**command_probe([*diagnose, "check_running"], period_seconds=10, failures=60), **_PATIENT},
        "liveness_probe": {"tcp_socket": {"port": "amqp"}, "period_seconds": 20, "failure_threshold": 3},
        "readiness_probe": {
            **command_probe([*diagnose, "check_port_connectivity"], period_seconds=30, failures=3),
            **_PATIENT,
        },
        "resources": resources(cpu_millicores=args.cpu_millicores, memory_mib=args.memory_mib),
    }
