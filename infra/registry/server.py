"""A private registry inside the cluster, which nodes and builders reach on a port of the node."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, ContainerPortArgsDict, VolumeArgsDict, VolumeMountArgsDict

from infra.cluster import labels, selector
from infra.registry.server_config import CONFIG_FILE, DATA, HTPASSWD, METRICS_PORT, TLS, configuration
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import SECRETS_VERSION, Settings, SettingsArgs, http_probe, pod_spec, resources, service_account

MEMORY_MIB = 512
GARBAGE_COLLECTION_TIMEOUT_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class RegistryServerArgs:
    """What a :class:`RegistryServer` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child; it must admit a host port."""
    image: str
    """Image of the registry (distribution 2.8 or later); its entry point must take ``serve CONFIG``."""
    port: int
    """Port of the node and of the Service."""
    listen_address: str | None
    """Address of the node on which the port is open; None: all of them."""
    storage_class: str
    """StorageClass of the layers' volume."""
    storage_gib: int
    """Size of the layers' volume."""
    garbage_collection: str
    """Cron schedule."""
    accounts: Input[str] | None = None
    """Name of the Secret with the accounts (file ``htpasswd``); absent: no login."""
    accounts_version: Input[str] | None = None
    """Changes with the accounts."""
    tls_secret: str | None = None
    """Name of a kubernetes.io/tls Secret; absent: plain HTTP."""
    metrics: bool = False
    """Whether somebody collects its metrics."""


class RegistryServer(ComponentResource):
    """One registry on one volume: a StatefulSet on a host port, a Service, a garbage collection."""

    service: Output[str]
    """Name of the Service, for pods."""

    def __init__(self, name: str, args: RegistryServerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:registry:RegistryServer", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("registry", name)
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
                data={
                    "config.yml": configuration(
                        port=args.port,
                        login=args.accounts is not None,
                        tls=args.tls_secret is not None,
                        metrics=args.metrics,
                    )
                },
            ),
            opts=child,
        )
        account = service_account(name, args.namespace, its_labels, None, self)
        volumes: list[VolumeArgsDict] = [
            {"name": "data", "persistent_volume_claim": {"claim_name": volume.claim}},
            {"name": "config", "config_map": {"name": settings.config_map}},
        ]
        mounts: list[VolumeMountArgsDict] = [
            {"name": "data", "mount_path": DATA},
            {"name": "config", "mount_path": CONFIG_FILE.rpartition("/")[0], "read_only": True},
        ]
        for secret, path in ((args.accounts, HTPASSWD.rpartition("/")[0]), (args.tls_secret, TLS)):
            if secret is not None:
                volume_name = path.rpartition("/")[2]
                volumes.append({"name": volume_name, "secret": {"secret_name": secret, "default_mode": 0o440}})
                mounts.append({"name": volume_name, "mount_path": path, "read_only": True})
        container = _container(args, mounts)
        annotations = {SECRETS_VERSION: args.accounts_version} if args.accounts_version is not None else {}
        workload = k8s.apps.v1.StatefulSet(
            f"{name}-server",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "replicas": 1,
                "service_name": name,
                "selector": {"match_labels": selector(name)},
                "template": {
                    "metadata": {"labels": its_labels, "annotations": annotations},
                    "spec": pod_spec(service_account=account, containers=[container], volumes=volumes),
                },
            },
            opts=child,
        )
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "selector": selector(name),
                "ports": [{"name": "registry", "port": args.port, "target_port": "registry"}],
            },
            # After the pods it points at: one that failed is then named alone, not with a Service that waits for it.
            opts=ResourceOptions(parent=self, depends_on=[workload]),
        )
        self._collect_garbage(name, args, account, volumes, mounts)
        self.service = service.metadata["name"]
        self.register_outputs({"service": self.service})

    def _collect_garbage(
        self,
        name: str,
        args: RegistryServerArgs,
        account: Input[str],
        volumes: list[VolumeArgsDict],
        mounts: list[VolumeMountArgsDict],
    ) -> None:
        """Declare the CronJob that removes layers no tag needs; see docs/decisions/0103."""
        part = f"{name}-garbage-collection"
        its_labels = labels("registry", name, part)
        container: ContainerArgsDict = {
            "name": "garbage-collection",
            "image": args.image,
            "args": ["garbage-collect", "--delete-untagged", CONFIG_FILE],
            "resources": resources(cpu_millicores=500, memory_mib=MEMORY_MIB),
            "volume_mounts": mounts,
        }
        pod = pod_spec(service_account=account, containers=[container], volumes=volumes)
        k8s.batch.v1.CronJob(
            part,
            metadata={"name": part, "namespace": args.namespace, "labels": its_labels},
            spec={
                "schedule": args.garbage_collection,
                "concurrency_policy": "Forbid",
                "successful_jobs_history_limit": 1,
                "failed_jobs_history_limit": 1,
                "job_template": {
                    "metadata": {"labels": its_labels},
                    "spec": {
                        "backoff_limit": 0,
                        "active_deadline_seconds": GARBAGE_COLLECTION_TIMEOUT_SECONDS,
                        "template": {
                            "metadata": {"labels": its_labels},
                            "spec": {
                                **pod,
                                "restart_policy": "Never",
                                # The volume can be mounted on one node only: the registry's.
                                "affinity": {
                                    "pod_affinity": {
                                        "required_during_scheduling_ignored_during_execution": [
                                            {
                                                "label_selector": {"match_labels": selector(name)},
                                                "topology_key": "kubernetes.io/hostname",
                                            }
                                        ]
                                    }
                                },
                            },
                        },
                    },
                },
            },
            opts=ResourceOptions(parent=self),
        )


def _container(args: RegistryServerArgs, mounts: list[VolumeMountArgsDict]) -> ContainerArgsDict:
    """Return the registry's container; its health page needs no login."""
    scheme = "HTTPS" if args.tls_secret else "HTTP"
    live = http_probe("/", "registry", period_seconds=20, failures=3, scheme=scheme)
    port: ContainerPortArgsDict = {"name": "registry", "container_port": args.port, "host_port": args.port}
    metrics: ContainerPortArgsDict = {"name": "metrics", "container_port": METRICS_PORT}
    return {
        "name": "registry",
        "image": args.image,
        "args": ["serve", CONFIG_FILE],
        "ports": [
            {**port, "host_ip": args.listen_address} if args.listen_address else port,
            *([metrics] if args.metrics else []),
        ],
        "startup_probe": http_probe("/", "registry", period_seconds=2, failures=60, scheme=scheme),
        "liveness_probe": live,
        "readiness_probe": http_probe("/", "registry", period_seconds=5, failures=3, scheme=scheme),
        "resources": resources(cpu_millicores=1000, memory_mib=MEMORY_MIB),
        "volume_mounts": mounts,
    }
