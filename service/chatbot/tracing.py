"""What takes part in a trace; without `CHATBOT_OTLP_ENDPOINT` all of it does nothing.

Only OpenTelemetry's API is imported here, which FastAPI brings along anyway. No span carries text that people wrote, a
document's text, or a key.
"""

from collections.abc import Container, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

from chatbot.errors import ApiError

if TYPE_CHECKING:  # the client of the engine, which the engine does without
    import httpx2
    from fastapi.telemetry import TelemetryConfig

Attributes = Mapping[str, str | int | float]


def request_spans(not_traced: Container[str]) -> "TelemetryConfig":
    """FastAPI's own instrumentation: one span for a request, and nothing else of it; none for some paths."""
    return {
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
        "exclude": lambda scope: scope["path"] in not_traced,
    }


def begin(name: str, kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes | None = None) -> Span:
    """A span below the current one; for work in pieces, each done `within` it. Whoever begins it ends it."""
    return trace.get_tracer("chatbot").start_span(name, kind=kind, attributes=attributes)


@contextmanager
def within(span: Span) -> Iterator[None]:
    """Make `span` the current one; an error marks it by its code alone, since its text may quote what people wrote."""
    with trace.use_span(span, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except Exception as error:
            code = error.code if isinstance(error, ApiError) else None
            span.set_attribute("error.type", code or type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise


@contextmanager
def operation(name: str, kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes | None = None) -> Iterator[Span]:
    """A span for the work of the block."""
    span = begin(name, kind, attributes)
    try:
        with within(span):
            yield span
    finally:
        span.end()


async def carry_context(request: "httpx2.Request") -> None:
    """Tell whoever is asked which span asks (W3C `traceparent`)."""
    propagate.inject(request.headers)


def add_trace_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor of structlog: a line that belongs to a trace says to which."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


def start(endpoint: str | None, role: str) -> "TraceExport | None":
    """Send spans from now on; None without an `endpoint`. Only here the SDK is imported, which takes its time."""
    if endpoint is None:
        return None
    from chatbot.trace_export import TraceExport  # noqa: PLC0415

    structlog.get_logger().info("sending_traces", endpoint=endpoint)
    return TraceExport(endpoint, role)


if TYPE_CHECKING:
    from chatbot.trace_export import TraceExport
