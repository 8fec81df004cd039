"""Gitea: a Git server for one installation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict, PodSpecArgsDict, VolumeMountArgsDict

from infra.ci.git import ADMIN, GITEA_PORT, ROBOT
from infra.ci.gitea_config import ACCOUNTS, CONFIG_FILE, CONFIG_FOLDER, DATA, SECRETS, configuration
from infra.cluster import labels, selector
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import SECRETS_VERSION, Settings, SettingsArgs, http_probe, pod_spec, resources, service_account


@dataclass(frozen=True, kw_only=True)
class GiteaArgs:
    """What a :class:`Gitea` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """Image with ``gitea`` and ``git`` on its path and a shell."""
    address: str
    """Address of its pages, as people reach them."""
    webhook_hosts: Sequence[str]
    """The only hosts that webhooks may call."""
    secrets: Input[str]
    """Name of the Secret with the files of :data:`infra.ci.gitea_config.SECRET_FILES` and of ``accounts``."""
    secrets_version: Input[str]
    """Changes with it, so that a new password is set at once."""
    accounts: Mapping[str, str]
    """Further account -> file of the Secret with its password."""
    storage_class: str
    """StorageClass of the volume."""
    storage_gib: int
    """Size of the volume."""
    memory_mib: int
    """Memory limit of the server."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


class Gitea(ComponentResource):
    """One server on one volume; its accounts are made, and get their passwords, before each start."""

    url: Output[str]
    """Address within the cluster, known once the server answers."""

    def __init__(self, name: str, args: GiteaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:ci:Gitea", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("ci", name)
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
        text = configuration(address=args.address, webhook_hosts=args.webhook_hosts)
        settings = Settings(
            f"{name}-config",
            SettingsArgs(namespace=args.namespace, labels=its_labels, data={"app.ini": text}),
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
                    "metadata": {"labels": its_labels, "annotations": {SECRETS_VERSION: args.secrets_version}},
                    "spec": _pod(args, account, volume.claim, settings.config_map),
                },
            },
            opts=child,
        )
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={"selector": selector(name), "ports": [{"name": "http", "port": GITEA_PORT, "target_port": "http"}]},
            opts=ResourceOptions(parent=self, depends_on=[workload]),
        )
        self.url = Output.concat("http://", service.metadata["name"], ".", args.namespace, f".svc:{GITEA_PORT}")
        self.register_outputs({"url": self.url})


def _pod(args: GiteaArgs, account: Input[str], claim: Input[str], config_map: Input[str]) -> PodSpecArgsDict:
    # HOME and USER: Gitea writes Git's own configuration there, and asks who runs it, which no passwd entry says.
    env: list[EnvVarArgsDict] = [
        {"name": "HOME", "value": f"{DATA}/home"},
        {"name": "USER", "value": "git"},
        {"name": "GITEA_WORK_DIR", "value": DATA},
    ]
    mounts: list[VolumeMountArgsDict] = [
        {"name": "data", "mount_path": DATA},
        {"name": "config", "mount_path": CONFIG_FOLDER, "read_only": True},
        {"name": "secrets", "mount_path": SECRETS, "read_only": True},
    ]
    wanted = {ADMIN: "admin-password --admin", ROBOT: "robot-password", **args.accounts}
    accounts: ContainerArgsDict = {
        "name": "accounts",
        "image": args.image,
        "command": ["sh", "-c", accounts_script(wanted)],
        "env": env,
        "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
        "volume_mounts": mounts,
    }
    server: ContainerArgsDict = {
        "name": "gitea",
        "image": args.image,
        "command": ["gitea", "web", "--config", CONFIG_FILE],
        "env": env,
        "ports": [{"name": "http", "container_port": GITEA_PORT}],
        "startup_probe": http_probe("/api/healthz", "http", period_seconds=2, failures=90),
        "liveness_probe": {"tcp_socket": {"port": "http"}, "period_seconds": 20, "failure_threshold": 3},
        "readiness_probe": http_probe("/api/healthz", "http", period_seconds=5, failures=3),
        "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
        "volume_mounts": mounts,
    }
    both = pod_spec(
        service_account=account,
        containers=[accounts, server],
        volumes=[
            {"name": "data", "persistent_volume_claim": {"claim_name": claim}},
            {"name": "config", "config_map": {"name": config_map}},
            {"name": "secrets", "secret": {"secret_name": args.secrets, "default_mode": 0o440}},
        ],
    )
    first, second = list(both["containers"])  # type: ignore[arg-type]  # a list: pod_spec made it
    return {**both, "init_containers": [first], "containers": [second]}


def accounts_script(wanted: Mapping[str, str]) -> str:
    """Return the shell text that makes each account: NAME -> ``FILE [--admin]``."""
    calls = []
    for name, rest in wanted.items():
        file, _, flag = rest.partition(" ")
        calls.append(f"ensure {name} {file} '{flag}'")
    return ACCOUNTS + "\n".join(calls) + "\n"
