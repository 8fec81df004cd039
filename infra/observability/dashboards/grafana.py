"""The pieces of a Grafana dashboard (schema 41: grafana.com/docs/grafana/latest/dashboards/build-dashboards).

The vendor's builder library is eight megabytes for Grafana 12 and older, and moves on its own; these are the few fields
that our dashboards use. Data sources are variables: the same dashboard works in a Grafana of our own and in another.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from infra.observability.scope import Scope, filled

SCHEMA_VERSION = 41
WIDTH = 24
"""Columns of Grafana's grid."""
HEIGHT = 8
METRICS = {"type": "prometheus", "uid": "${metrics}"}
LOGS = {"type": "loki", "uid": "${logs}"}

Unit = Literal["short", "s", "percentunit", "bytes", "reqps", "celsius", "watt", "ops", "ms"]
"""Grafana's name of what a number counts."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question to Prometheus."""

    expression: str
    """PromQL, to be filled by `scope.py`."""
    legend: str = ""
    """Name of each line, e.g. ``{{pod}}``; empty: all labels."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture."""

    title: str
    """What it shows."""
    queries: tuple[Query, ...]
    """What is asked; for logs, LogQL."""
    unit: Unit = "short"
    """Of its values."""
    kind: Literal["timeseries", "stat", "gauge", "table", "logs"] = "timeseries"
    """Lines over time, the value now, the value between 0 and its maximum, a table of values now, or log lines."""
    description: str = ""
    """What a reader must know to judge it."""
    red_above: float | None = None
    """From where on a value is bad."""
    width: int = 8
    """Columns of 24."""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One page of panels, laid out row by row."""

    name: str
    """Short name: of the file, and in the page's address."""
    title: str
    """As people read it."""
    components: frozenset[str]
    """It is worth having where one of these is measured."""
    panels: tuple[Panel, ...]
    """In reading order."""


def query(expression: str, legend: str = "") -> Query:
    """Return a question."""
    return Query(expression=expression, legend=legend)


def panel(title: str, *queries: Query | str, **more: Any) -> Panel:
    """Return a panel; a question without a legend may be a plain string."""
    asked = tuple(each if isinstance(each, Query) else query(each) for each in queries)
    return Panel(title=title, queries=asked, **more)


def as_json(dashboard: Dashboard, scope: Scope) -> str:
    """Return the dashboard as Grafana reads it, with the questions of one stack."""
    whole = {
        "uid": f"aihub-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["aihub"],
        "timezone": "browser",
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source("metrics", "prometheus"), _source("logs", "loki")]},
        "panels": _laid_out(dashboard.panels, scope),
    }
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False)


def _source(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "label": name, "type": "datasource", "query": kind, "hide": 0}


def _laid_out(panels: Sequence[Panel], scope: Scope) -> list[dict[str, Any]]:
    placed, left, top = [], 0, 0
    for number, each in enumerate(panels, start=1):
        if left + each.width > WIDTH:
            left, top = 0, top + HEIGHT
        place = {"x": left, "y": top, "w": each.width, "h": HEIGHT}
        placed.append({"id": number, "gridPos": place, **_panel(each, scope)})
        left += each.width
    return placed


def _panel(each: Panel, scope: Scope) -> dict[str, Any]:
    source = LOGS if each.kind == "logs" else METRICS
    is_now = each.kind in ("stat", "gauge", "table")
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": source,
            "expr": filled(asked.expression, scope),
            "legendFormat": asked.legend or "__auto",
            **({"instant": True, "format": "table" if each.kind == "table" else "time_series"} if is_now else {}),
        }
        for index, asked in enumerate(each.queries)
    ]
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if each.red_above is not None:
        steps.append({"color": "red", "value": each.red_above})
    defaults: dict[str, Any] = {"unit": each.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if each.kind == "gauge":
        defaults |= {"min": 0, "max": 1}
    return {
        "type": each.kind,
        "title": each.title,
        "description": each.description,
        "datasource": source,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(each.kind),
    }


def _options(kind: str) -> dict[str, Any]:
    if kind == "timeseries":
        return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    if kind == "logs":
        return {"showTime": True, "wrapLogMessage": True, "sortOrder": "Descending"}
    return {}
