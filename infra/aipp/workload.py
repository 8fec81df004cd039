"""What the services have in common: a pod that waits for what it needs, its settings, its secrets, a Service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, CustomTimeouts, Input, Output, ResourceOptions
from pulumi_kubernetes.apps.v1 import DeploymentStrategyArgsDict
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    PodSpecArgsDict,
    ProbeArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra.aipp.names import SECRETS_FOLDER, file_of_variable
from infra.aipp.place import Place
from infra.aipp.telemetry import trace_environment
from infra.cluster import labels, selector
from infra.config.aipp_services import ServiceConfig
from infra.moving import moving
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import (
    SECRETS_VERSION,
    Settings,
    SettingsArgs,
    http_probe,
    pod_spec,
    resources,
    service,
    service_account,
)

DRAIN_SECONDS = 5
"""A stopping pod still takes requests so long: by then every node has left it out of the Service."""
FILES_FOLDER = "/etc/aipp/config"
PROBE_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class WorkloadArgs:
    """What a :class:`Workload` needs from the service that it is."""

    place: Place
    """Where it runs, and whom it finds there."""
    config: ServiceConfig
    """Its section of the configuration."""
    steps: tuple[ContainerArgsDict, ...]
    """What runs before it, one after the other: mostly waiting."""
    environment: Mapping[str, Input[str]] = field(default_factory=dict)
    """Its variables; those of the configuration win."""
    files: Mapping[str, Input[str]] = field(default_factory=dict)
    """File below :data:`FILES_FOLDER` -> content, nothing secret."""
    replicas: int = 1
    """Number of pods; more than one are spread over the nodes, and one at a time may be taken away."""
    replacement: Literal["RollingUpdate", "Recreate"] = "Recreate"
    """How a new version takes over: beside the old one, or after its end."""
    startup_minutes: int = 10
    """How long it may take until it lives; not counted is what it waits for."""
    exclusive_claim: Input[str] | None = None
    """Claim that one pod may mount at a time; nothing is written to it. Absent: none."""
    gpu_count: int = 0
    """GPUs of the pod."""
    runtime_class: str | None = None
    """RuntimeClass that gives a container the GPU."""
    shared_memory_mib: int = 0
    """Size of /dev/shm, in memory; 0: the runtime's own 64 MiB."""


class Workload(ComponentResource):
    """A Deployment with its settings and its Service, and where it has several pods a disruption budget."""

    url: Output[str]
    """Base URL inside the cluster; known once a pod is ready."""

    def __init__(self, name: str, args: WorkloadArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:Workload", name, {}, opts)
        child = ResourceOptions(parent=self)
        place, its_labels = args.place, labels("aipp", name)
        metadata: ObjectMetaArgsDict = {"name": name, "namespace": place.namespace, "labels": its_labels}
        settings = _settings(f"{name}-settings", args, _environment(name, args), self)
        claims = {volume: _claim(name, volume, args, self) for volume in args.config.volumes}
        files = _settings(f"{name}-config", args, args.files, self) if args.files else None
        pod = pod_spec(
            service_account=service_account(name, place.namespace, its_labels, place.pull_secret, self),
            init_containers=args.steps,
            containers=[_container(name, args, settings)],
            volumes=_volumes(args, files, claims),
            termination_grace_seconds=60,
        )
        limit = f"{args.startup_minutes + 30}m"  # the image, and what it waits for, take their time before
        workload = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec={
                "replicas": args.replicas,
                "strategy": _strategy(args),
                "progress_deadline_seconds": (args.startup_minutes + 30) * 60,
                "selector": {"match_labels": selector(name)},
                "template": {
                    "metadata": _pod_metadata(name, place),
                    "spec": _placed(pod, name, args),
                },
            },
            opts=ResourceOptions(parent=self, custom_timeouts=CustomTimeouts(create=limit, update=limit)),
        )
        if args.replicas > 1:
            k8s.policy.v1.PodDisruptionBudget(
                f"{name}-disruption-budget",
                metadata=metadata,
                spec={"max_unavailable": 1, "selector": {"match_labels": selector(name)}},
                opts=child,
            )
        port = args.config.port
        host = service(name, place.namespace, its_labels, ports={"http": port}, workload=workload, parent=self)
        self.url = Output.concat("http://", host, ".", place.namespace, f".svc:{port}")
        self.register_outputs({"url": self.url})


def _environment(name: str, args: WorkloadArgs) -> Mapping[str, Input[str]]:
    return {**trace_environment(name, args.place), **args.environment, **args.config.environment}


def _settings(name: str, args: WorkloadArgs, data: Mapping[str, Input[str]], parent: Workload) -> Output[str]:
    its_labels = labels("aipp", name)
    settings = SettingsArgs(namespace=args.place.namespace, labels=its_labels, data=data)
    return Settings(name, settings, opts=ResourceOptions(parent=parent)).config_map


def _pod_metadata(name: str, place: Place) -> ObjectMetaArgsDict:
    if place.secret_version is None:
        return {"labels": labels("aipp", name)}
    return {"labels": labels("aipp", name), "annotations": {SECRETS_VERSION: place.secret_version}}


def _strategy(args: WorkloadArgs) -> DeploymentStrategyArgsDict:
    if args.replacement == "Recreate":
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}}


def _placed(pod: PodSpecArgsDict, name: str, args: WorkloadArgs) -> PodSpecArgsDict:
    """Return the pod's spec with the nodes on which it may be, and how long."""
    pod = moving(pod, args.place.move_after_seconds)
    if args.runtime_class:
        pod = {**pod, "runtime_class_name": args.runtime_class}
    if args.replicas > 1:
        pod = {
            **pod,
            "topology_spread_constraints": [
                {
                    "max_skew": 1,
                    "topology_key": "kubernetes.io/hostname",
                    "when_unsatisfiable": "ScheduleAnyway",
                    "label_selector": {"match_labels": selector(name)},
                }
            ],
        }
    return pod


def _probe(path: str | None, *, period_seconds: int, failures: int) -> ProbeArgsDict:
    if path:
        return http_probe(path, "http", period_seconds=period_seconds, failures=failures)
    return {"tcp_socket": {"port": "http"}, "period_seconds": period_seconds, "failure_threshold": failures}


def _container(name: str, args: WorkloadArgs, settings: Input[str]) -> ContainerArgsDict:
    config = args.config
    variables: list[EnvVarArgsDict] = [
        {
            "name": variable,
            "value_from": {"secret_key_ref": {"name": args.place.secret, "key": file_of_variable(variable)}},
        }
        for variable in sorted(config.secret_environment)
    ]
    failures = args.startup_minutes * 60 // PROBE_SECONDS
    return {
        "name": name,
        "image": config.image,
        "env_from": [{"config_map_ref": {"name": settings}}],
        "env": [{"name": "HOME", "value": "/tmp"}, *variables],  # noqa: S108 - the pod's own emptyDir
        "ports": [{"name": "http", "container_port": config.port}],
        "startup_probe": _probe(config.live_path, period_seconds=PROBE_SECONDS, failures=failures),
        "liveness_probe": _probe(config.live_path, period_seconds=20, failures=3),
        "readiness_probe": _probe(config.ready_path, period_seconds=5, failures=3),
        "lifecycle": {"pre_stop": {"sleep": {"seconds": DRAIN_SECONDS}}},
        "resources": resources(
            cpu_millicores=config.cpu_millicores, memory_mib=config.memory_mib, gpu_count=args.gpu_count
        ),
        "volume_mounts": _mounts(args),
    }


def _mounts(args: WorkloadArgs) -> list[VolumeMountArgsDict]:
    mounts: list[VolumeMountArgsDict] = []
    if args.place.secret is not None:
        mounts.append({"name": "secrets", "mount_path": SECRETS_FOLDER, "read_only": True})
    if args.files:
        mounts.append({"name": "config", "mount_path": FILES_FOLDER, "read_only": True})
    if args.shared_memory_mib:
        mounts.append({"name": "shared-memory", "mount_path": "/dev/shm"})  # noqa: S108 - in memory, the pod's own
    if args.exclusive_claim is not None:
        mounts.append({"name": "exclusive", "mount_path": "/var/lib/aipp-exclusive", "read_only": True})
    for number, folder in enumerate(args.config.writable_folders):
        mounts.append({"name": f"writable-{number}", "mount_path": folder})
    for name, volume in args.config.volumes.items():
        mounts.append({"name": f"kept-{name}", "mount_path": volume.folder})
    return mounts


def _claim(name: str, volume: str, args: WorkloadArgs, parent: Workload) -> Output[str]:
    claim = Volume(
        f"{name}-{volume}",
        VolumeArgs(
            namespace=args.place.namespace,
            labels=labels("aipp", name),
            storage_class=args.place.storage_class,
            storage_gib=args.config.volumes[volume].storage_gib,
        ),
        opts=ResourceOptions(parent=parent),
    )
    return claim.claim


def _volumes(args: WorkloadArgs, files: Input[str] | None, claims: Mapping[str, Input[str]]) -> list[VolumeArgsDict]:
    volumes: list[VolumeArgsDict] = []
    if args.place.secret is not None:
        volumes.append({"name": "secrets", "secret": {"secret_name": args.place.secret, "default_mode": 0o440}})
    if files is not None:
        volumes.append({"name": "config", "config_map": {"name": files}})
    if args.shared_memory_mib:
        size = f"{args.shared_memory_mib}Mi"
        volumes.append({"name": "shared-memory", "empty_dir": {"medium": "Memory", "size_limit": size}})
    if args.exclusive_claim is not None:
        volumes.append({"name": "exclusive", "persistent_volume_claim": {"claim_name": args.exclusive_claim}})
    for number, _ in enumerate(args.config.writable_folders):
        volumes.append({"name": f"writable-{number}", "empty_dir": {}})
    for volume, claim in claims.items():
        volumes.append({"name": f"kept-{volume}", "persistent_volume_claim": {"claim_name": claim}})
    return volumes
