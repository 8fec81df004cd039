"""What others must know of this room before it is declared."""

from infra.config import StackConfig

PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093
GRAFANA_PORT = 3000
LOKI_PORT = 3100
TEMPO_PORT = 3200
OTLP_PORT = 4318
"""OTLP over HTTP, of the collector and of Tempo."""
COLLECTOR_PORT = 12345
KUBELET_PORT = 10250
KUBE_STATE_METRICS_PORT = 8080
NODE_EXPORTER_PORT = 9100
REDIS_EXPORTER_PORT = 9121
GPU_EXPORTER_PORT = 9835

DASHBOARD_LABEL = "grafana_dashboard"
"""Label by which Grafana finds dashboards among the ConfigMaps of its namespace."""


def otlp_endpoint(stack: StackConfig) -> str | None:
    """Return where pods send traces (OTLP over HTTP; add `/v1/traces` where a full address is asked for).

    None where the stack has no collector of its own.
    """
    own = stack.observability.stack
    return f"http://collector.{own.namespace}.svc:{OTLP_PORT}" if own else None
