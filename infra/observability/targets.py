"""What Prometheus asks for metrics: each component once. Monitors and network policies both follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from infra.chat.names import METRICS_PORT
from infra.config import StackConfig
from infra.network.names import (
    CERT_MANAGER,
    CERT_MANAGER_METRICS_PORT,
    CONTROLLER_METRICS_PORT,
    DEX,
    DEX_METRICS_PORT,
)
from infra.observability import names
from infra.plan import INGRESS, Pods, Space


@dataclass(frozen=True, kw_only=True)
class Target:
    """One component that tells its metrics."""

    component: str
    """As in the plan; also the label ``job`` of all its metrics."""
    port: int
    """Port of its pods, which must be among the ports that they declare."""
    path: str = "/metrics"
    """Where on that port."""
    honor_labels: bool = False
    """Keep the labels ``pod`` and ``namespace`` that it sets itself, where it speaks about others."""


TARGETS = (
    Target(component="api", port=METRICS_PORT),
    Target(component="engine", port=METRICS_PORT),
    Target(component="registry", port=5001),
    Target(component="redis-exporter", port=names.REDIS_EXPORTER_PORT),
    Target(component="gpu-exporter", port=names.GPU_EXPORTER_PORT),
    Target(component="jenkins", port=8080, path="/prometheus/"),
    Target(component="argocd", port=8082, honor_labels=True),
    Target(component="rollouts", port=8090, honor_labels=True),
    Target(component=CERT_MANAGER, port=CERT_MANAGER_METRICS_PORT, honor_labels=True),
    Target(component=DEX, port=DEX_METRICS_PORT),
    Target(component=INGRESS, port=CONTROLLER_METRICS_PORT["traefik"]),
    Target(component="kube-state-metrics", port=names.KUBE_STATE_METRICS_PORT, honor_labels=True),
    Target(component="node-exporter", port=names.NODE_EXPORTER_PORT),
    Target(component="prometheus", port=names.PROMETHEUS_PORT),
    Target(component="alertmanager", port=names.ALERTMANAGER_PORT),
    Target(component="loki", port=names.LOKI_PORT),
    Target(component="tempo", port=names.TEMPO_PORT),
    Target(component="collector", port=names.COLLECTOR_PORT),
)
"""Chroma is missing: its server has no page for Prometheus (it can send traces only)."""


def targets_of(stack: StackConfig, spaces: Mapping[str, Space], pods: Mapping[str, Pods]) -> tuple[Target, ...]:
    """Return the targets that a stack has and owns; what is somebody else's is not ours to watch."""
    controller = stack.network.controller
    ingress_port = CONTROLLER_METRICS_PORT[controller.kind] if controller else None
    return tuple(
        replace(target, port=ingress_port) if target.component == INGRESS and ingress_port else target
        for target in TARGETS
        if target.component in pods and spaces[pods[target.component].space].ours
    )
