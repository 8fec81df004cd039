"""The table of targets as PodMonitors, the dashboards as ConfigMaps, the alerts as one PrometheusRule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Resource, ResourceOptions

from infra.cluster import labels
from infra.observability.alerts import Alert, rule_spec
from infra.observability.names import DASHBOARD_LABEL
from infra.observability.targets import Target
from infra.plan import Plan

API_VERSION = "monitoring.coreos.com/v1"
ALERT_RULES = "aihub"
"""Name of the PrometheusRule."""


@dataclass(frozen=True, kw_only=True)
class MonitorsArgs:
    """What :class:`Monitors` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    labels: Mapping[str, str]
    """Further labels of monitors and rules, by which somebody else's Prometheus selects them."""
    targets: Sequence[Target]
    """What is measured."""
    plan: Plan
    """Where its pods are."""
    dashboards: Mapping[str, str]
    """Name -> JSON."""
    alerts: Sequence[Alert]
    """When people are told."""
    runbooks: str
    """Address of the page with a paragraph for each alert."""
    after: Sequence[Resource] = ()
    """What makes the kinds of monitors and rules. As an option of this component it would not hold for its children."""


class Monitors(ComponentResource):
    """Everything by which a Prometheus and a Grafana, ours or the cluster's, come to know this stack."""

    def __init__(self, name: str, args: MonitorsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:Monitors", name, {}, opts)
        child = ResourceOptions(parent=self, depends_on=list(args.after))
        for target in args.targets:
            k8s.apiextensions.CustomResource(
                f"{name}-{target.component}",
                api_version=API_VERSION,
                kind="PodMonitor",
                metadata={
                    "name": target.component,
                    "namespace": args.namespace,
                    "labels": {**labels("observability", target.component), **args.labels},
                },
                spec=monitor_spec(target, args.plan),
                opts=child,
            )
        k8s.apiextensions.CustomResource(
            f"{name}-alerts",
            api_version=API_VERSION,
            kind="PrometheusRule",
            metadata={
                "name": ALERT_RULES,
                "namespace": args.namespace,
                "labels": {**labels("observability", "alerts"), **args.labels},
            },
            spec=rule_spec(args.alerts, args.runbooks),
            opts=child,
        )
        for title, text in args.dashboards.items():
            # Its name stays when its content changes: Grafana replaces the dashboard instead of keeping two.
            k8s.core.v1.ConfigMap(
                f"{name}-dashboard-{title}",
                metadata={
                    "name": f"dashboard-{title}",
                    "namespace": args.namespace,
                    "labels": {**labels("observability", f"dashboard-{title}"), DASHBOARD_LABEL: "1"},
                },
                data={f"aihub-{title}.json": text},
                opts=child,
            )
        self.register_outputs({})


def monitor_spec(target: Target, plan: Plan) -> dict[str, Any]:
    """Return the spec of a PodMonitor: the component's pods in its namespace, and the component as its ``job``."""
    pods = plan.pods[target.component]
    return {
        "selector": {"matchLabels": dict(pods.labels)},
        "namespaceSelector": {"matchNames": [plan.spaces[pods.space].namespace]},
        "podMetricsEndpoints": [
            {
                "portNumber": target.port,
                "path": target.path,
                "honorLabels": target.honor_labels,
                "relabelings": [{"targetLabel": "job", "replacement": target.component}],
            }
        ],
    }
