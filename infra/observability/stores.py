"""Where logs and traces are kept: Loki and Tempo, each one process on one volume."""

from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chart import release
from infra.config.observability import LokiConfig, TempoConfig
from infra.observability.names import LOKI_PORT, OTLP_PORT
from infra.versions import LOKI, TEMPO
from infra.workload import resources

OFF = {"enabled": False}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


@dataclass(frozen=True, kw_only=True)
class LokiArgs:
    """What a :class:`Loki` needs from its caller."""

    namespace: Input[str]
    """Its namespace."""
    config: LokiConfig
    """Sizes, and how long logs are kept."""
    storage_class: str
    """StorageClass of the volume."""


class Loki(ComponentResource):
    """Logs."""

    push_url: Output[str]
    """Where the collector sends lines."""

    def __init__(self, name: str, args: LokiArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:Loki", name, {}, opts)
        installed = release(name, LOKI, namespace=args.namespace, values=loki_values(name, args), parent=self)
        self.push_url = installed.name.apply(lambda host: f"http://{host}:{LOKI_PORT}/loki/api/v1/push")
        self.register_outputs({"push_url": self.push_url})


def loki_values(name: str, args: LokiArgs) -> dict[str, Any]:
    """Return the chart's values: one process, files, no caches (which would ask for 10 GiB) and no canary."""
    return {
        "fullnameOverride": name,
        "deploymentMode": "Monolithic",
        "loki": {
            "auth_enabled": False,
            "analytics": {"reporting_enabled": False},
            "commonConfig": {"replication_factor": 1},
            "storage": {"type": "filesystem"},
            "schemaConfig": {
                "configs": [
                    {
                        "from": "2024-04-01",
                        "store": "tsdb",
                        "object_store": "filesystem",
                        "schema": "v13",
                        "index": {"prefix": "index_", "period": "24h"},
                    }
                ]
            },
            "limits_config": {"retention_period": f"{args.config.retention_days * 24}h"},
            "compactor": {"retention_enabled": True, "delete_request_store": "filesystem"},
        },
        "singleBinary": {
            "replicas": 1,
            "resources": resources(cpu_millicores=500, memory_mib=args.config.memory_mib),
            "persistence": {"size": f"{args.config.storage_gib}Gi", "storageClass": args.storage_class},
        },
        # It asks DNS for its peers, of which it is the only one, before it is ready.
        "memberlist": {"service": {"publishNotReadyAddresses": True}},
        **{part: {"replicas": 0} for part in ("read", "write", "backend")},
        **dict.fromkeys(("chunksCache", "resultsCache", "lokiCanary", "test", "gateway"), OFF),
        # It would watch ConfigMaps for rules at the API server; ours are Prometheus'.
        "sidecar": {"rules": OFF},
        "rbac": {"namespaced": True},
        "serviceAccount": {"automountServiceAccountToken": False},
    }


@dataclass(frozen=True, kw_only=True)
class TempoArgs:
    """What a :class:`Tempo` needs from its caller."""

    namespace: Input[str]
    """Its namespace."""
    config: TempoConfig
    """Sizes, and how long traces are kept."""
    storage_class: str
    """StorageClass of the volume."""


class Tempo(ComponentResource):
    """Traces."""

    push_url: Output[str]
    """Where the collector sends traces (OTLP over HTTP)."""

    def __init__(self, name: str, args: TempoArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:Tempo", name, {}, opts)
        installed = release(name, TEMPO, namespace=args.namespace, values=tempo_values(name, args), parent=self)
        self.push_url = installed.name.apply(lambda host: f"http://{host}:{OTLP_PORT}")
        self.register_outputs({"push_url": self.push_url})


def tempo_values(name: str, args: TempoArgs) -> dict[str, Any]:
    """Return the chart's values; without persistence, its default, a restart would lose every trace."""
    return {
        "fullnameOverride": name,
        "tempo": {
            "retention": f"{args.config.retention_days * 24}h",
            "reportingEnabled": False,
            "memBallastSizeMbs": 0,
            "resources": resources(cpu_millicores=500, memory_mib=args.config.memory_mib),
            "securityContext": RESTRICTED,
        },
        "persistence": {
            "enabled": True,
            "size": f"{args.config.storage_gib}Gi",
            "storageClassName": args.storage_class,
        },
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "serviceAccount": {"automountServiceAccountToken": False},
    }
