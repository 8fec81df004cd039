"""Spans on their way to a collector (OTLP over HTTP), in a thread of their own: no request waits for it."""

import logging
import threading
from collections.abc import Sequence

import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SERVICE_NAMES = {"api": "aihub-api", "engine": "aihub-engine", "all": "aihub-chat"}
EXPORT_SECONDS = 5.0
"""How long a batch is tried; what could not be delivered by then is dropped."""
STOP_SECONDS = 3.0
"""How long the end of the process waits for the last spans."""
WITHHELD = ("url.path", "url.query")
"""A one-time login is part of a path, the issuer's code part of a query; `http.route` says which route it was."""
CHATTY = ("opentelemetry.exporter", "opentelemetry.sdk")
"""Loggers that tell of every batch that was not delivered."""

log = structlog.get_logger()


class _TellOnce(SpanExporter):
    """Says once that the collector is away, and once that it is back."""

    def __init__(self, inner: SpanExporter, endpoint: str) -> None:
        self._inner = inner
        self._endpoint = endpoint
        self._is_away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        outcome = self._inner.export(spans)
        is_away = outcome is not SpanExportResult.SUCCESS
        if is_away and not self._is_away:
            log.warning("traces_not_delivered", endpoint=self._endpoint)
        elif self._is_away and not is_away:
            log.info("traces_delivered_again", endpoint=self._endpoint)
        self._is_away = is_away
        return outcome

    def shutdown(self) -> None:
        self._inner.shutdown()


class _Processor(BatchSpanProcessor):
    """Overwrites what FastAPI's instrumentation puts into spans and must not leave the process."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        for name in WITHHELD:
            if name in (span.attributes or {}):
                span.set_attribute(name, "withheld")
        super().on_start(span, parent_context)


class TraceExport:
    """Makes the spans of this process real, until `stop`."""

    def __init__(self, endpoint: str, role: str) -> None:
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        # No baggage: what strangers send along is not passed on to the engine.
        propagate.set_global_textmap(TraceContextTextMapPropagator())
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
        resource = Resource.create({"service.name": SERVICE_NAMES[role]})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(_Processor(_TellOnce(exporter, endpoint)))
        trace.set_tracer_provider(self._provider)

    def stop(self) -> None:
        """Send what is left, if that is quickly done."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(STOP_SECONDS)
