"""How the vendor's services are told where traces go, by the variables that OpenTelemetry itself defines.

Whether an image reads them is the vendor's matter; one that does not ignores them. Only traces are sent: metrics are
asked for by Prometheus, and log lines are read from the pods.
"""

from collections.abc import Mapping

from infra.aipp.place import Place


def trace_environment(service: str, place: Place) -> Mapping[str, str]:
    """Return the variables of one service; none where the stack knows no collector."""
    if place.otlp_endpoint is None:
        return {}
    return {
        "OTEL_SERVICE_NAME": service,
        "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace={place.package.namespace}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": place.otlp_endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
