"""A private registry inside the cluster, which nodes and builders reach on a port of the node."""

from dataclasses import dataclass
from pathlib import Path

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, ContainerPortArgsDict, PodAffinityTermArgsDict

from infra.cluster import labels, selector
from infra.folders import Folder
from infra.registry.server_config import CONFIG_FILE, DATA, HTPASSWD, METRICS_PORT, TLS, configuration
from infra.store import Store, StoreArgs, declare_store
from infra.workload import SECRETS_VERSION, http_probe, pod_spec, resources

GARBAGE_COLLECTION_TIMEOUT_SECONDS = 3600
FORGET_UNTAGGED = Path(__file__).with_name("forget_untagged.sh")


@dataclass(frozen=True, kw_only=True)
class RegistryServerArgs(StoreArgs):
    """What a :class:`RegistryServer` needs from its caller.

    Its namespace must admit a host port; its image is distribution 2.8 or later and takes ``serve CONFIG``.
    """

    port: int
    """Port of the node and of the Service."""
    listen_address: str | None
    """Address of the node on which the port is open; None: all of them."""
    garbage_collection: str
    """Cron schedule."""
    keep_tags: int | None = None
    """How many tags of each repository outlive a garbage collection; None: all."""
    cluster_ip: str | None = None
    """Fixed address of the Service; None: any."""
    accounts: Input[str] | None = None
    """Name of the Secret with the accounts (file ``htpasswd``); absent: no login."""
    accounts_version: Input[str] | None = None
    """Changes with the accounts."""
    tls_secret: Input[str] | None = None
    """Name of a kubernetes.io/tls Secret; absent: plain HTTP."""
    tls_version: Input[str] | None = None
    """Changes with it."""
    metrics: bool = False
    """Whether somebody collects its metrics."""
    memory_mib: int = 512
    """Memory of the server, and of the garbage collection beside it."""


class RegistryServer(ComponentResource):
    """One registry on one volume: a StatefulSet on a host port, a Service, a garbage collection."""

    service: Output[str]
    """Name of the Service, for pods."""

    def __init__(self, name: str, args: RegistryServerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:registry:RegistryServer", name, {}, opts)
        config = configuration(
            port=args.port, login=args.accounts is not None, tls=args.tls_secret is not None, metrics=args.metrics
        )
        secrets: dict[str, Input[str] | None] = {HTPASSWD.rpartition("/")[0]: args.accounts, TLS: args.tls_secret}
        versions = [version for version in (args.accounts_version, args.tls_version) if version is not None]
        store = declare_store(
            self,
            name,
            args,
            room="registry",
            container=_container(args),
            ports={"registry": args.port},
            data_folder=DATA,
            config_folder=CONFIG_FILE.rpartition("/")[0],
            config={"config.yml": config},
            folders=[
                Folder.of_secret(path.rpartition("/")[2], path, secret)
                for path, secret in secrets.items()
                if secret is not None
            ],
            annotations={SECRETS_VERSION: Output.concat(*versions)} if versions else {},
            cluster_ip=args.cluster_ip,
        )
        self._collect_garbage(name, args, store)
        self.service = store.service
        self.register_outputs({"service": self.service})

    def _collect_garbage(self, name: str, args: RegistryServerArgs, store: Store) -> None:
        """Declare the CronJob that removes layers no tag needs; see docs/decisions/0103."""
        part = f"{name}-garbage-collection"
        its_labels = labels("registry", name, part)
        container: ContainerArgsDict = {
            "name": "garbage-collection",
            "image": args.image,
            "args": ["garbage-collect", CONFIG_FILE],
            "resources": resources(cpu_millicores=500, memory_mib=args.memory_mib),
        }
        pod = pod_spec(
            service_account=store.account,
            init_containers=[_forget_untagged(args)],
            containers=[container],
            folders=store.folders,
        )
        pod["restart_policy"] = "Never"
        # The volume can be mounted on one node only: the registry's.
        beside: PodAffinityTermArgsDict = {
            "label_selector": {"match_labels": selector(name)},
            "topology_key": "kubernetes.io/hostname",
        }
        pod["affinity"] = {"pod_affinity": {"required_during_scheduling_ignored_during_execution": [beside]}}
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
                        "template": {"metadata": {"labels": its_labels}, "spec": pod},
                    },
                },
            },
            opts=ResourceOptions(parent=self),
        )


def _forget_untagged(args: RegistryServerArgs) -> ContainerArgsDict:
    """Return what runs before the collector and leaves each repository its newest tags, and what they lead to."""
    return {
        "name": "forget-untagged",
        "image": args.image,
        "command": ["sh", "-c", FORGET_UNTAGGED.read_text()],
        "env": [
            {"name": "KEEP_TAGS", "value": "" if args.keep_tags is None else str(args.keep_tags)},
            {"name": "REPOSITORIES", "value": f"{DATA}/docker/registry/v2/repositories"},
        ],
        "resources": resources(cpu_millicores=100, memory_mib=64),
    }


def _container(args: RegistryServerArgs) -> ContainerArgsDict:
    """Return the registry's container; its health page needs no login."""
    scheme = "HTTPS" if args.tls_secret is not None else "HTTP"
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
        "liveness_probe": http_probe("/", "registry", period_seconds=20, failures=3, scheme=scheme),
        "readiness_probe": http_probe("/", "registry", period_seconds=5, failures=3, scheme=scheme),
        "resources": resources(cpu_millicores=1000, memory_mib=args.memory_mib),
    }
