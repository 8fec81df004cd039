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

POSTGRES_EXPORTER_PORT = 9187

DASHBOARD_LABEL = "grafana_dashboard"
"""Label by which Grafana finds dashboards among the ConfigMaps of its namespace."""


def stores_are_asked(stack: StackConfig) -> bool:
    """Return whether exporters stand beside AIPP's stores: not where Vault's agent keeps passwords out of Secrets."""
    return stack.aipp is not None and stack.aipp.secrets_by != "agent"


def otlp_endpoint(stack: StackConfig) -> str | None:
    """Return where pods send traces (OTLP over HTTP; add `/v1/traces` where a full address is asked for).

    None where the stack knows no collector.
    """
    own, theirs = stack.observability.stack, stack.observability.monitors
    if own:
        return f"http://collector.{own.namespace}.svc:{OTLP_PORT}"
    if theirs and theirs.collector:
        collector = theirs.collector
        return f"http://{collector.service}.{collector.namespace}.svc:{collector.port}"
    return None


def otlp_port(stack: StackConfig) -> int:
    """Return the port of the collector's pods that takes them."""
    theirs = stack.observability.monitors
    return theirs.collector.port if theirs and theirs.collector else OTLP_PORT
