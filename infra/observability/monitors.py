"""The table of targets as PodMonitors, the dashboards as ConfigMaps, the alerts as one PrometheusRule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Resource, ResourceOptions

from infra.cluster import PROJECT, labels
from infra.observability.names import DASHBOARD_LABEL
from infra.observability.targets import Target
from infra.plan import Plan

API_VERSION = "monitoring.coreos.com/v1"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where Prometheus and Grafana look, and for what."""

    namespace: Input[str]
    """Namespace of monitors and rules."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Further labels of theirs, by which somebody else's Prometheus selects them."""
    dashboard_namespace: Input[str] | None = None
    """Namespace of dashboards; None: the same."""
    dashboard_labels: Mapping[str, str] = field(default_factory=lambda: {DASHBOARD_LABEL: "1"})
    """Labels by which Grafana selects dashboards."""


@dataclass(frozen=True, kw_only=True)
class MonitorsArgs:
    """What :class:`Monitors` needs from its caller."""

    place: Place
    """Namespaces and labels of the children."""
    targets: Sequence[Target]
    """What is measured."""
    plan: Plan
    """Where its pods are."""
    dashboards: Mapping[str, str]
    """Name -> JSON."""
    rules: Mapping[str, Any]
    """Spec of the PrometheusRule: when people are told."""
    after: Sequence[Resource] = ()
    """What makes the kinds of monitors and rules. As an option of this component it would not hold for its children."""


class Monitors(ComponentResource):
    """Everything by which a Prometheus and a Grafana, ours or the cluster's, come to know this stack."""

    def __init__(self, name: str, args: MonitorsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:Monitors", name, {}, opts)
        child = ResourceOptions(parent=self, depends_on=list(args.after))
        place = args.place
        for target in args.targets:
            k8s.apiextensions.CustomResource(
                f"{name}-{target.name}",
                api_version=API_VERSION,
                kind="PodMonitor",
                metadata={
                    "name": object_name(target.name),
                    "namespace": place.namespace,
                    "labels": {**labels("observability", target.name), **place.labels},
                },
                spec=monitor_spec(target, args.plan),
                opts=child,
            )
        k8s.apiextensions.CustomResource(
            f"{name}-alerts",
            api_version=API_VERSION,
            kind="PrometheusRule",
            metadata={
                "name": object_name("alerts"),
                "namespace": place.namespace,
                "labels": {**labels("observability", "alerts"), **place.labels},
            },
            spec=args.rules,
            opts=child,
        )
        for title, text in args.dashboards.items():
            # Its name stays when its content changes: Grafana replaces the dashboard instead of keeping two.
            k8s.core.v1.ConfigMap(
                f"{name}-dashboard-{title}",
                metadata={
                    "name": object_name(f"dashboard-{title}"),
                    "namespace": place.namespace if place.dashboard_namespace is None else place.dashboard_namespace,
                    "labels": {**labels("observability", f"dashboard-{title}"), **place.dashboard_labels},
                },
                data={f"aihub-{title}.json": text},
                opts=child,
            )
        self.register_outputs({})


def object_name(what: str) -> str:
    """Return the name of an object in a namespace that may be full of other people's, with an `api` of their own."""
    return f"{PROJECT}-{what}"


def monitor_spec(target: Target, plan: Plan) -> dict[str, Any]:
    """Return the spec of a PodMonitor: the component's pods in its namespace, and the component as its ``job``."""
    pods, part = plan.pods[target.component], {"app.kubernetes.io/name": target.part} if target.part else {}
    return {
        "selector": {"matchLabels": {**pods.labels, **part}},
        "namespaceSelector": {"matchNames": [plan.spaces[pods.space].namespace]},
        "podMetricsEndpoints": [
            {
                "portNumber": target.port,
                "path": target.path,
                "honorLabels": target.honor_labels,
                "relabelings": [{"targetLabel": "job", "replacement": target.name}],
            }
        ],
    }
