"""Which dashboards a stack gets."""

from collections.abc import Set

from infra.observability.dashboards.aipp import AIPP
from infra.observability.dashboards.chat import CHAT
from infra.observability.dashboards.grafana import Dashboard
from infra.observability.dashboards.platform import DATA, DELIVERY, GPU, MACHINE, REGISTRY

DASHBOARDS = (CHAT, AIPP, GPU, MACHINE, DATA, REGISTRY, DELIVERY)


def dashboards_of(measured: Set[str]) -> tuple[Dashboard, ...]:
    """Return those that have something to show where these components are measured."""
    return tuple(dashboard for dashboard in DASHBOARDS if dashboard.components & measured)
