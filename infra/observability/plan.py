"""The namespaces and pods of the room, what they call, and who is measured."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from infra.cluster import selector
from infra.config import StackConfig
from infra.config.observability import OwnStackConfig
from infra.data import redis
from infra.network.login import login_of
from infra.observability import names
from infra.observability.targets import targets_of
from infra.plan import API_SERVER_PORT, INGRESS, Flow, Plan, Pods, Space, World

CHART_PODS = {
    "prometheus": {"app.kubernetes.io/name": "prometheus"},
    "prometheus-operator": {"app.kubernetes.io/component": "prometheus-operator"},
    "alertmanager": {"app.kubernetes.io/name": "alertmanager"},
    "kube-state-metrics": {"app.kubernetes.io/name": "kube-state-metrics"},
    "grafana": {"app.kubernetes.io/name": "grafana"},
    "loki": {"app.kubernetes.io/name": "loki"},
    "tempo": {"app.kubernetes.io/name": "tempo"},
    "collector": {"app.kubernetes.io/name": "alloy"},
}
"""Component -> labels that its chart gives to its pods, in the room's own namespace."""

WATCHERS = {
    "prometheus": "find what to measure",
    "prometheus-operator": "read monitors and rules, make Prometheus",
    "kube-state-metrics": "read the state of workloads",
    "grafana": "read dashboards from ConfigMaps",
    "collector": "read the logs of pods",
}
"""Component -> what it asks the API server for."""

QUESTIONS = (
    ("grafana", "prometheus", names.PROMETHEUS_PORT, "metrics"),
    ("grafana", "alertmanager", names.ALERTMANAGER_PORT, "alerts"),
    ("grafana", "loki", names.LOKI_PORT, "logs"),
    ("grafana", "tempo", names.TEMPO_PORT, "traces"),
    ("prometheus", "alertmanager", names.ALERTMANAGER_PORT, "alerts"),
    ("collector", "loki", names.LOKI_PORT, "logs"),
    ("loki", "loki", 9095, "its parts find each other through its Service"),
    ("collector", "tempo", names.OTLP_PORT, "traces"),
    ("collector", "prometheus", names.PROMETHEUS_PORT, "metrics that were sent instead of asked for"),
)
"""(source, target, port, what) within the room."""

SENDERS = ("api", "engine")
"""Components that send traces to the collector."""


def plan(stack: StackConfig, others: Iterable[Plan]) -> Plan:
    """Return what the room takes up.

    Args:
        stack: the configuration.
        others: the plans of all other rooms: what they run is what is measured.
    """
    config = stack.observability
    if config.stack:
        own = _own(stack, config.stack)
    elif config.monitors:
        there = Space(namespace=config.monitors.namespace, ours=False)
        own = Plan(spaces={"observability": there}, pods={"prometheus": Pods(space="observability")})
    else:
        return Plan()
    exporters = {"redis-exporter": Pods(space="data", labels=selector("redis-exporter"))}
    pods = {**own.pods, **(exporters if config.redis_exporter_image else {})}
    all_spaces = {**own.spaces, **{key: space for other in others for key, space in other.spaces.items()}}
    all_pods = {**pods, **{name: its for other in others for name, its in other.pods.items()}}
    flows = list(own.flows)
    if config.redis_exporter_image:
        flows.append(Flow(source="redis-exporter", target="redis", port=redis.PORT, reason="ask for its state"))
    if config.stack:
        flows += [
            Flow(source=sender, target="collector", port=names.OTLP_PORT, reason="send traces")
            for sender in SENDERS
            if sender in all_pods
        ]
    flows += [
        Flow(source="prometheus", target=target.component, port=target.port, reason="read metrics")
        for target in targets_of(stack, all_spaces, all_pods)
    ]
    return Plan(spaces=own.spaces, pods=pods, flows=tuple(flows))


def _own(stack: StackConfig, own: OwnStackConfig) -> Plan:
    pods = {name: Pods(space="observability", labels=labels) for name, labels in CHART_PODS.items()}
    pods["node-exporter"] = Pods(space="node-exporter", labels={"app.kubernetes.io/name": "prometheus-node-exporter"})
    if own.gpu_exporter_image:
        pods["gpu-exporter"] = Pods(space="observability", labels=selector("gpu-exporter"))
    flows = [Flow(source=source, target=target, port=port, reason=what) for source, target, port, what in QUESTIONS]
    flows += [
        Flow(source=component, target=World.API_SERVER, port=API_SERVER_PORT, reason=reason)
        for component, reason in WATCHERS.items()
    ]
    kubelet = "volumes and containers, from the kubelets"
    flows.append(Flow(source="prometheus", target=World.ANYWHERE, port=names.KUBELET_PORT, reason=kubelet))
    if own.grafana_host:
        flows.append(Flow(source=INGRESS, target="grafana", port=names.GRAFANA_PORT, reason="people look at it"))
        login = login_of(stack)
        flows += [login.flow("grafana")] if login else []
    if own.notify:
        address = urlsplit(str(own.notify))
        port = address.port or (443 if address.scheme == "https" else 80)
        flows.append(Flow(source="alertmanager", target=World.ANYWHERE, port=port, reason="tell people of alerts"))
    return Plan(
        spaces={
            "observability": Space(namespace=own.namespace),
            "node-exporter": Space(namespace=own.node_namespace),
        },
        pods=pods,
        flows=tuple(flows),
    )
