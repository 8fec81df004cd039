"""An OpenID Connect issuer of our own."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.cluster import labels, selector
from infra.folders import Folder
from infra.network import authorities
from infra.network.dex_config import DATABASE
from infra.network.ingress import ingress
from infra.network.names import DEX_METRICS_PORT, DEX_PORT
from infra.storage.volume import Volume, VolumeArgs
from infra.workload import SECRETS_VERSION, http_probe, pod_spec, resources, service, service_account

CONFIG_FILE = "config.yaml"
_CONFIG_FOLDER = "/etc/dex/config"
_STORAGE_GIB = 1


@dataclass(frozen=True, kw_only=True)
class DexArgs:
    """What :class:`Dex` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    image: str
    """Dex's image; ``dex`` must be in its PATH."""
    config: Input[str]
    """Name of the Secret with the file ``config.yaml``."""
    config_version: Input[str]
    """Changes with the configuration and its secrets."""
    host: str
    """Host name of the login page."""
    ingress_class: str
    """IngressClass."""
    cluster_issuer: str
    """Who signs the page's certificate."""
    storage_class: str
    """StorageClass of the database: signing keys, and who is logged in."""
    memory_mib: int
    """Memory, reserved whole."""
    authorities: str | None = None
    """Changes with the authorities in the namespace's ConfigMap, for where it finds people; absent: the public ones."""


class Dex(ComponentResource):
    """One Dex on one SQLite file: no rights at the API server, where its other storage would make CRDs.

    A Deployment, not a store (infra/store.py): another kind would be another object, whose pod starts before that of
    the old one is gone, and both would write the one file.
    """

    service: Output[str]
    """Name of the Service."""

    def __init__(self, name: str, args: DexArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:network:Dex", name, {}, opts)
        child = ResourceOptions(parent=self)
        its_labels = labels("network", name)
        volume = Volume(
            f"{name}-data",
            VolumeArgs(
                namespace=args.namespace,
                labels=its_labels,
                storage_class=args.storage_class,
                storage_gib=_STORAGE_GIB,
            ),
            opts=child,
        )
        folders = [
            Folder.of_claim("data", DATABASE.rpartition("/")[0], volume.claim),
            Folder.of_secret("config", _CONFIG_FOLDER, args.config),
            *([authorities.folder()] if args.authorities else ()),
        ]
        versions: dict[str, Input[str]] = {
            SECRETS_VERSION: args.config_version,
            **authorities.annotations(args.authorities),
        }
        workload = k8s.apps.v1.Deployment(
            f"{name}-server",
            metadata={"name": name, "namespace": args.namespace, "labels": its_labels},
            spec={
                "replicas": 1,
                # Two at once would both write the one file.
                "strategy": {"type": "Recreate"},
                "selector": {"match_labels": selector(name)},
                "template": {
                    "metadata": {"labels": its_labels, "annotations": versions},
                    "spec": pod_spec(
                        service_account=service_account(name, args.namespace, its_labels, None, self),
                        containers=[_container(args)],
                        folders=folders,
                    ),
                },
            },
            opts=child,
        )
        self.service = service(
            name, args.namespace, its_labels, ports={"http": DEX_PORT}, workload=workload, parent=self
        )
        ingress(
            name,
            args.namespace,
            its_labels,
            host=args.host,
            routes={"/": (self.service, DEX_PORT)},
            ingress_class=args.ingress_class,
            certificate=f"{name}-tls",
            cluster_issuer=args.cluster_issuer,
            nginx={},
            parent=self,
        )
        self.register_outputs({"service": self.service})


def _container(args: DexArgs) -> ContainerArgsDict:
    """Return Dex's container, started without the image's entry point, which would expand templates."""
    return {
        "name": "dex",
        "image": args.image,
        "command": ["dex", "serve", f"{_CONFIG_FOLDER}/{CONFIG_FILE}"],
        # Else a dollar sign in a secret of the connector would be read as a variable's name.
        "env": [
            {"name": "DEX_EXPAND_ENV", "value": "false"},
            *(authorities.ENVIRONMENT if args.authorities else ()),
        ],
        "ports": [
            {"name": "http", "container_port": DEX_PORT},
            {"name": "telemetry", "container_port": DEX_METRICS_PORT},
        ],
        "startup_probe": http_probe("/healthz/ready", "telemetry", period_seconds=2, failures=60),
        "liveness_probe": http_probe("/healthz/live", "telemetry", period_seconds=20, failures=3),
        "readiness_probe": http_probe("/healthz/ready", "telemetry", period_seconds=5, failures=3),
        "resources": resources(cpu_millicores=500, memory_mib=args.memory_mib),
    }
