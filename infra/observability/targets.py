"""What Prometheus asks for metrics: each component once. Monitors and network policies both follow from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from infra.aipp.names import FIELDS, POSTGRES_EXPORTER, RABBITMQ, REDIS_EXPORTER, component
from infra.chat.names import METRICS_PORT
from infra.config import StackConfig
from infra.data import rabbitmq
from infra.delivery.image_updater import METRICS_PORT as IMAGE_UPDATER_METRICS_PORT
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
    """As in the plan."""
    part: str = ""
    """The one of its pods that listens there, by its label ``app.kubernetes.io/name``; empty: all of them do."""
    port: int
    """Port of its pods, which must be among the ports that they declare."""
    path: str = "/metrics"
    """Where on that port."""
    honor_labels: bool = False
    """Keep the labels ``pod`` and ``namespace`` that it sets itself, where it speaks about others."""
    is_there: Callable[[StackConfig], object] = lambda _: True
    """Whether a stack that has the component has this part of it."""

    @property
    def name(self) -> str:
        """Name of its monitor, and the label ``job`` of all its metrics."""
        return self.part or self.component


TARGETS = (
    Target(component="api", port=METRICS_PORT),
    Target(component="engine", port=METRICS_PORT),
    Target(component="registry", port=5001),
    Target(component="redis-exporter", port=names.REDIS_EXPORTER_PORT),
    Target(component=REDIS_EXPORTER, port=names.REDIS_EXPORTER_PORT),
    Target(component=POSTGRES_EXPORTER, port=names.POSTGRES_EXPORTER_PORT),
    Target(component=component(RABBITMQ), port=rabbitmq.METRICS_PORT),
    Target(component="gpu-exporter", port=names.GPU_EXPORTER_PORT),
    Target(component="jenkins", port=8080, path="/prometheus/"),
    Target(component="argocd", part="argocd-application-controller", port=8082, honor_labels=True),
    Target(component="argocd", part="argocd-server", port=8083),
    Target(component="argocd", part="argocd-repo-server", port=8084),
    Target(
        component="argocd",
        part="argocd-image-updater",
        port=IMAGE_UPDATER_METRICS_PORT,
        is_there=lambda stack: stack.delivery.image_updater,
    ),
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
"""Chroma is missing: its server has no page for Prometheus (it can send traces only). What the vendor's services tell
stands in the configuration."""


def targets_of(stack: StackConfig, spaces: Mapping[str, Space], pods: Mapping[str, Pods]) -> tuple[Target, ...]:
    """Return the targets that a stack has and owns; what is somebody else's is not ours to watch."""
    controller = stack.network.controller
    ingress_port = CONTROLLER_METRICS_PORT[controller.kind] if controller else None
    return tuple(
        replace(target, port=ingress_port) if target.component == INGRESS and ingress_port else target
        for target in (*TARGETS, *_vendors_services(stack))
        if target.component in pods and spaces[pods[target.component].space].is_this_stacks and target.is_there(stack)
    )


def _vendors_services(stack: StackConfig) -> tuple[Target, ...]:
    """Return the five services of AIPP, as far as they tell anything."""
    sections = stack.aipp.services() if stack.aipp else {}
    return tuple(
        Target(component=service, port=section.port, path=section.metrics_path)
        for service, field in FIELDS.items()
        if (section := sections.get(field)) and section.metrics_path
    )
