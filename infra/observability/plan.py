"""The namespaces and pods of the room, what they call, and who is measured."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from infra.aipp.names import FIELDS, PGVECTOR, POSTGRES_EXPORTER, REDIS, REDIS_EXPORTER, component
from infra.cluster import selector
from infra.config import StackConfig
from infra.config.observability import MonitorsConfig, OwnStackConfig
from infra.data import pgvector, redis
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

SENDERS = ("api", "engine", *FIELDS)
"""Components that send traces to the collector: the chat's, and the vendor's five."""

THEIR_PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
"""Labels that the Prometheus operator gives to the pods of every Prometheus."""


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
        own = _theirs(config.monitors)
    else:
        return Plan()
    exporters = _exporters(stack)
    pods = {**own.pods, **exporters.pods}
    all_spaces = {**own.spaces, **{key: space for other in others for key, space in other.spaces.items()}}
    all_pods = {**pods, **{name: its for other in others for name, its in other.pods.items()}}
    flows = [*own.flows, *exporters.flows]
    if "collector" in pods:
        flows += [
            Flow(source=sender, target="collector", port=names.otlp_port(stack), reason="send traces")
            for sender in SENDERS
            if sender in all_pods
        ]
    flows += [
        Flow(source="prometheus", target=target.component, port=target.port, reason="read metrics")
        for target in targets_of(stack, all_spaces, all_pods)
    ]
    return Plan(spaces=own.spaces, pods=pods, flows=tuple(flows))


def _exporters(stack: StackConfig) -> Plan:
    """Return the exporters of stores, each beside its store, so that a password is in no other namespace."""
    config, asked = stack.observability, names.stores_are_asked(stack)
    beside = (
        ("redis-exporter", "data", "redis", redis.PORT, config.redis_exporter_image),
        (REDIS_EXPORTER, "aipp", component(REDIS), redis.PORT, asked and config.redis_exporter_image),
        (
            POSTGRES_EXPORTER,
            "aipp",
            component(PGVECTOR),
            pgvector.PORT,
            asked and config.postgres_exporter_image,
        ),
    )
    there = [(name, space, store, port) for name, space, store, port, image in beside if image]
    return Plan(
        pods={name: Pods(space=space, labels=selector(name)) for name, space, _, _ in there},
        flows=tuple(
            Flow(source=name, target=store, port=port, reason="ask for its state") for name, _, store, port in there
        ),
    )


def _theirs(monitors: MonitorsConfig) -> Plan:
    """Return where the cluster's own Prometheus and collector are: nothing of ours."""
    spaces = {"observability": Space(namespace=monitors.namespace, ours=False)}
    pods = {"prometheus": Pods(space="observability", labels=THEIR_PROMETHEUS)}
    if collector := monitors.collector:
        beside = collector.namespace == monitors.namespace
        space = "observability" if beside else "collector"
        spaces[space] = Space(namespace=collector.namespace, ours=False)
        pods["collector"] = Pods(space=space, labels=collector.pod_labels)
    return Plan(spaces=spaces, pods=pods)


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
