"""What every pod of this project shares: who it runs as, what it may write, how it is asked for its health."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    PodSpecArgsDict,
    ProbeArgsDict,
    ResourceRequirementsArgsDict,
    SecurityContextArgsDict,
    ServiceSpecArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from infra.cluster import selector
from infra.folders import Folder

RUN_AS = 10001
"""User and group of every image of ours; also the owner of what a volume holds."""

SECRETS_VERSION = "aihub/secrets-version"
"""Pod annotation that changes with the secrets a pod reads at its start, so that it is replaced then."""

TEMPORARY_MIB = 256

CONTAINER_SECURITY: SecurityContextArgsDict = {
    "allow_privilege_escalation": False,
    "read_only_root_filesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def resources(*, cpu_millicores: int, memory_mib: int, gpu_count: int = 0) -> ResourceRequirementsArgsDict:
    """Return requests and limits: memory reserved whole (it cannot be taken back), a tenth of the processors."""
    gpus: dict[str, Input[str]] = {"nvidia.com/gpu": str(gpu_count)} if gpu_count else {}
    return {
        "requests": {"cpu": f"{max(10, cpu_millicores // 10)}m", "memory": f"{memory_mib}Mi", **gpus},
        "limits": {"cpu": f"{cpu_millicores}m", "memory": f"{memory_mib}Mi", **gpus},
    }


def http_probe(path: str, port: str, *, period_seconds: int, failures: int, scheme: str = "HTTP") -> ProbeArgsDict:
    """Return a probe that asks over HTTP(S); trouble lasts ``period_seconds * failures`` before it counts."""
    return {
        "http_get": {"path": path, "port": port, "scheme": scheme},
        "period_seconds": period_seconds,
        "failure_threshold": failures,
        "timeout_seconds": 5,
    }


def command_probe(command: Sequence[str], *, period_seconds: int, failures: int) -> ProbeArgsDict:
    """Return a probe that runs a command in the container."""
    return {
        "exec_": {"command": list(command)},
        "period_seconds": period_seconds,
        "failure_threshold": failures,
        "timeout_seconds": 5,
    }


def pod_spec(
    *,
    service_account: Input[str],
    containers: Sequence[ContainerArgsDict],
    volumes: Sequence[VolumeArgsDict] = (),
    folders: Sequence[Folder] = (),
    termination_grace_seconds: int = 30,
    init_containers: Sequence[ContainerArgsDict] = (),
) -> PodSpecArgsDict:
    """Return a pod that Pod Security `restricted` admits.

    Every container finds ``folders``, and a small writable ``/tmp``; what it mounts of ``volumes`` it says itself.
    """
    mounts = [mount for folder in folders for mount in folder.mounts]
    temporary: VolumeArgsDict = {"name": "tmp", "empty_dir": {"size_limit": f"{TEMPORARY_MIB}Mi"}}
    pod: PodSpecArgsDict = {
        "service_account_name": service_account,
        "automount_service_account_token": False,
        # Else Kubernetes sets variables for every Service of the namespace, API_PORT=tcp://... among them.
        "enable_service_links": False,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": RUN_AS,
            "run_as_group": RUN_AS,
            "fs_group": RUN_AS,
            # Else every start of a pod walks its whole volume.
            "fs_group_change_policy": "OnRootMismatch",
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "termination_grace_period_seconds": termination_grace_seconds,
        "containers": [_hardened(container, mounts) for container in containers],
        "volumes": [*(folder.volume for folder in folders), *volumes, temporary],
    }
    return {**pod, "init_containers": [_hardened(each, mounts) for each in init_containers]} if init_containers else pod


def _hardened(container: ContainerArgsDict, shared: Sequence[VolumeMountArgsDict]) -> ContainerArgsDict:
    mounts = container.get("volume_mounts", [])
    if not isinstance(mounts, list):
        raise TypeError(f"container {container['name']!r}: volume_mounts must be a list, so that /tmp can be added")
    return {
        **container,
        "security_context": CONTAINER_SECURITY,
        "volume_mounts": [*shared, *mounts, {"name": "tmp", "mount_path": "/tmp"}],  # noqa: S108 - the pod's own emptyDir
    }


def content_hash(content: Mapping[str, str]) -> str:
    """Return ten hex digits that change with ``content``."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


@dataclass(frozen=True, kw_only=True)
class SettingsArgs:
    """What :class:`Settings` needs from its caller."""

    namespace: Input[str]
    """Namespace of the ConfigMap."""
    labels: Mapping[str, Input[str]]
    """Labels of the ConfigMap."""
    data: Mapping[str, Input[str]]
    """File or variable -> content."""


class Settings(ComponentResource):
    """A ConfigMap whose name holds a hash of its content: a change makes a new one, and so rolls the pods."""

    config_map: Output[str]
    """Name of the ConfigMap."""

    def __init__(self, name: str, args: SettingsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:workload:Settings", name, {}, opts)
        object_name = Output.all(**args.data).apply(lambda data: f"{name}-{content_hash(data)}")
        config_map = k8s.core.v1.ConfigMap(
            f"{name}-config-map",
            metadata={"name": object_name, "namespace": args.namespace, "labels": args.labels},
            data=args.data,
            opts=ResourceOptions(parent=self),
        )
        self.config_map = config_map.metadata["name"]
        self.register_outputs({"config_map": self.config_map})


def service_account(
    name: str,
    namespace: Input[str],
    labels: Mapping[str, Input[str]],
    pull_secret: Input[str] | None,
    parent: ComponentResource,
) -> Output[str]:
    """Declare an account that may do nothing at the API server, and return its name."""
    account = k8s.core.v1.ServiceAccount(
        f"{name}-account",
        metadata={"name": name, "namespace": namespace, "labels": labels},
        automount_service_account_token=False,
        image_pull_secrets=[{"name": pull_secret}] if pull_secret is not None else None,
        opts=ResourceOptions(parent=parent),
    )
    return account.metadata["name"]


def service(
    name: str,
    namespace: Input[str],
    labels: Mapping[str, Input[str]],
    *,
    ports: Mapping[str, int],
    workload: Resource,
    parent: ComponentResource,
    cluster_ip: str | None = None,
) -> Output[str]:
    """Declare the Service of a component's pods, and return its name.

    It comes after the pods it points at: one that failed is then named alone, not with a Service that waits for it.
    ``cluster_ip`` is its fixed address; None: any.
    """
    spec: ServiceSpecArgsDict = {
        "selector": selector(name),
        "ports": [{"name": port, "port": number, "target_port": port} for port, number in ports.items()],
    }
    if cluster_ip:
        spec["cluster_ip"] = cluster_ip
    declared = k8s.core.v1.Service(
        f"{name}-service",
        metadata={"name": name, "namespace": namespace, "labels": labels},
        spec=spec,
        opts=ResourceOptions(parent=parent, depends_on=[workload]),
    )
    return declared.metadata["name"]
