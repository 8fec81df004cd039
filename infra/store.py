"""A server that keeps something: one pod on one volume, its configuration, a Service in front of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra.cluster import labels, selector
from infra.folders import Folder
from infra.moving import moving
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import Settings, SettingsArgs, pod_spec, service, service_account


@dataclass(frozen=True, kw_only=True)
class StoreArgs:
    """What every store needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: Input[str]
    """Image of the server."""
    storage_class: str
    """StorageClass of the data volume."""
    storage_gib: int
    """Size of the data volume."""
    volume: str | None = None
    """Name of its claim; absent: ``<name>-data``."""
    memory_mib: int
    """Memory of the server, reserved whole."""
    move_after_seconds: int | None = None
    """After a node went silent, its pod is given up; absent: Kubernetes' own 300."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the image with; absent: none is needed."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """What :func:`declare_store` declared."""

    service: Output[str]
    """Name of the Service; known once the server is ready."""
    host: Output[str]
    """Its DNS name inside the cluster."""
    account: Output[str]
    """Name of the pod's service account."""
    folders: Sequence[Folder]
    """Everything that the server's containers find in folders."""


def declare_store(
    parent: ComponentResource,
    name: str,
    args: StoreArgs,
    *,
    room: str,
    container: ContainerArgsDict,
    ports: Mapping[str, int],
    data_folder: str,
    config_folder: str = "",
    config: Mapping[str, str] | None = None,
    folders: Sequence[Folder] = (),
    annotations: Mapping[str, Input[str]] | None = None,
    init_containers: Sequence[ContainerArgsDict] = (),
    termination_grace_seconds: int = 30,
    cluster_ip: str | None = None,
) -> Store:
    """Declare a store as the children of ``parent``.

    A StatefulSet, since it never runs two pods at once: both would write the one volume.

    Args:
        parent: the store's component.
        name: its name; that of the Service, too.
        args: its arguments.
        room: its room.
        container: the server, without the folders named here.
        ports: name of a port of the container -> its number, of the Service too.
        data_folder: where the volume is mounted.
        config_folder: where its configuration is mounted.
        config: files of the configuration; None: it needs none, or brings its own among ``folders``.
        folders: what else its containers find.
        annotations: of the pod, e.g. the version of its secrets.
        init_containers: what runs before, with the same folders.
        termination_grace_seconds: how long it may take to stop.
        cluster_ip: fixed address of the Service; None: any.
    """
    child = ResourceOptions(parent=parent)
    its_labels = labels(room, name)
    volume = Volume(
        args.volume or f"{name}-data",
        VolumeArgs(
            namespace=args.namespace,
            labels=its_labels,
            storage_class=args.storage_class,
            storage_gib=args.storage_gib,
        ),
        opts=child,
    )
    every = [Folder.of_claim("data", data_folder, volume.claim)]
    if config:
        settings = Settings(
            f"{name}-config", SettingsArgs(namespace=args.namespace, labels=its_labels, data=config), opts=child
        )
        every.append(Folder.of_config("config", config_folder, settings.config_map))
    every.extend(folders)
    account = service_account(name, args.namespace, its_labels, args.pull_secret, parent)
    pod = pod_spec(
        service_account=account,
        containers=[container],
        init_containers=init_containers,
        folders=every,
        termination_grace_seconds=termination_grace_seconds,
    )
    pod_metadata: ObjectMetaArgsDict = {"labels": its_labels}
    if annotations is not None:
        pod_metadata["annotations"] = annotations
    workload = k8s.apps.v1.StatefulSet(
        f"{name}-server",
        metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
        spec={
            "replicas": 1,
            "service_name": name,
            # The default, OrderedReady, leaves a pod that never became ready as it is, whatever its template says:
            # https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback. Parallel replaces
            # it; with one replica, whose name no second pod can have, there is still one at a time.
            "pod_management_policy": "Parallel",
            "selector": {"match_labels": selector(name)},
            "template": {"metadata": pod_metadata, "spec": moving(pod, args.move_after_seconds)},
        },
        opts=child,
    )
    found = service(
        name, args.namespace, its_labels, ports=ports, workload=workload, parent=parent, cluster_ip=cluster_ip
    )
    host = Output.concat(found, ".", args.namespace, ".svc")
    return Store(service=found, host=host, account=account, folders=every)
