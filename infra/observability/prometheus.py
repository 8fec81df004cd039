"""Prometheus, Alertmanager, Grafana and what measures the node: chart kube-prometheus-stack."""

from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chart import release
from infra.config.observability import OwnStackConfig
from infra.observability.grafana import GrafanaArgs, grafana_values
from infra.observability.measured import CADVISOR, KUBELET, WORKLOADS, keep
from infra.versions import KUBE_PROMETHEUS_STACK
from infra.workload import resources

INTERVAL = "30s"
OFF = {"enabled": False}


@dataclass(frozen=True, kw_only=True)
class PrometheusStackArgs:
    """What a :class:`PrometheusStack` needs from its caller."""

    namespace: Input[str]
    """Namespace of all but the node exporter."""
    node_namespace: Input[str]
    """Namespace of the node exporter, which must admit hostPath volumes."""
    config: OwnStackConfig
    """Sizes and choices."""
    storage_class: str
    """StorageClass of the metrics' volume."""
    grafana: GrafanaArgs
    """How Grafana is reached and who may log in."""


class PrometheusStack(ComponentResource):
    """One release: the operator and its resource kinds, one Prometheus, one Alertmanager, Grafana, two exporters."""

    release: Output[str]
    """Name of the release; known once the kinds of monitors and rules exist."""

    def __init__(self, name: str, args: PrometheusStackArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:PrometheusStack", name, {}, opts)
        installed = release(
            name, KUBE_PROMETHEUS_STACK, namespace=args.namespace, values=values(name, args), parent=self
        )
        self.release = installed.name.apply(str)
        self.register_outputs({"release": self.release})


def values(name: str, args: PrometheusStackArgs) -> dict[str, Any]:
    """Return the chart's values."""
    return {
        "fullnameOverride": name,
        # Rules, dashboards and monitors are ours (alerts.py, dashboards/, targets.py): the chart's have neither a
        # runbook here nor the metrics that they ask for, and its recording rules alone cost more than all of ours.
        "defaultRules": {"create": False},
        **_control_plane(args.config.control_plane),
        "kubelet": {
            "serviceMonitor": {
                "interval": INTERVAL,
                "cAdvisorInterval": INTERVAL,
                "probes": False,
                "metricRelabelings": keep(KUBELET),
                "cAdvisorMetricRelabelings": keep(CADVISOR),
            }
        },
        "prometheusOperator": {
            # Its webhook would only check rules, which tests do here; without it no hook runs and no certificate ends.
            "admissionWebhooks": OFF,
            "tls": OFF,
            "serviceMonitor": {"selfMonitor": False},
            "resources": resources(cpu_millicores=200, memory_mib=128),
            "prometheusConfigReloader": {"resources": resources(cpu_millicores=100, memory_mib=48)},
        },
        "prometheus": {
            "serviceMonitor": {"selfMonitor": False},
            "prometheusSpec": _prometheus(args),
        },
        "alertmanager": {
            "serviceMonitor": {"selfMonitor": False},
            "config": _alertmanager(args.config),
            "alertmanagerSpec": {"resources": resources(cpu_millicores=100, memory_mib=64)},
        },
        "kube-state-metrics": {
            "fullnameOverride": "kube-state-metrics",
            "collectors": list(WORKLOADS),
            "prometheus": {"monitor": OFF},
            "resources": resources(cpu_millicores=200, memory_mib=96),
        },
        "prometheus-node-exporter": _node_exporter(args.node_namespace),
        "grafana": grafana_values(args.grafana),
    }


def _control_plane(is_measured: bool) -> dict[str, Any]:
    parts = ("kubeApiServer", "kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler", "coreDns")
    return {part: {"enabled": is_measured} for part in parts}


def _prometheus(args: PrometheusStackArgs) -> dict[str, Any]:
    config = args.config.prometheus
    kinds = ("serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig")
    return {
        # Whatever is declared anywhere is used, not only what carries the release's label.
        **{f"{kind}SelectorNilUsesHelmValues": False for kind in kinds},
        "replicas": 1,
        "scrapeInterval": INTERVAL,
        "evaluationInterval": INTERVAL,
        "retention": f"{config.retention_days}d",
        "retentionSize": f"{config.storage_gib * 1024 * 4 // 5}MiB",
        # For what the collector passes on; only it and Grafana may call this port (plan.py).
        "enableRemoteWriteReceiver": True,
        "resources": resources(cpu_millicores=1000, memory_mib=config.memory_mib),
        "storageSpec": {
            "volumeClaimTemplate": {
                "spec": {
                    "storageClassName": args.storage_class,
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": f"{config.storage_gib}Gi"}},
                }
            }
        },
    }


def _alertmanager(config: OwnStackConfig) -> dict[str, Any]:
    people: dict[str, Any] = {"name": "people"}
    if config.notify:
        people["webhook_configs"] = [{"url": config.notify, "send_resolved": True}]
    return {
        "route": {"receiver": "people", "group_by": ["alertname"], "repeat_interval": "12h", "routes": []},
        "receivers": [people],
        "inhibit_rules": [],
    }


def _node_exporter(namespace: Input[str]) -> dict[str, Any]:
    return {
        "fullnameOverride": "node-exporter",
        "namespaceOverride": namespace,
        # Neither the node's network nor its processes: nothing listens on the node's own addresses, and what is asked
        # (processors, memory, disks) stands in /proc and /sys, which are mounted.
        "hostNetwork": False,
        "hostPID": False,
        # A WSL2 root that is not shared refuses HostToContainer; disks mounted later are seen after a restart.
        "hostRootFsMount": {"enabled": True, "mountPropagation": ""},
        "prometheus": {"monitor": OFF},
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containerSecurityContext": {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": resources(cpu_millicores=200, memory_mib=48),
    }
