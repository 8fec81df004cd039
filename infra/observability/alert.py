"""What an alert is, and how Prometheus is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from infra.observability.scope import Scope, filled


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert; a paragraph of its name stands in docs/runbooks.md."""

    name: str
    """CamelCase, as people see it."""
    component: str
    """Whose metrics it asks for: an alert is declared only where the stack measures them."""
    expression: str
    """PromQL, to be filled by `scope.py`; what it returns is alerted on."""
    minutes: int
    """How long it must hold."""
    severity: Literal["critical", "warning"]
    """``critical``: people cannot work, or will lose data; ``warning``: they will, if nobody does anything."""
    summary: str
    """One line; may name labels and the value."""
    description: str
    """What it means for whom."""


def anchor(alert: Alert) -> str:
    """Return the anchor that Git servers give to the heading of an alert's paragraph."""
    return alert.name.lower()


def rule_spec(alerts: Sequence[Alert], runbooks: str, scope: Scope) -> dict[str, Any]:
    """Return the spec of a PrometheusRule; each alert leads to its paragraph of the page ``runbooks``."""
    return {
        "groups": [
            {
                "name": "aihub",
                "rules": [
                    {
                        "alert": alert.name,
                        "expr": filled(alert.expression, scope),
                        "for": f"{alert.minutes}m",
                        "labels": {"severity": alert.severity},
                        "annotations": {
                            "summary": alert.summary,
                            "description": alert.description,
                            "runbook_url": f"{runbooks}#{anchor(alert)}",
                        },
                    }
                    for alert in alerts
                ],
            }
        ]
    }
