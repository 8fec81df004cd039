"""Logs (JSON, one line an event) and Prometheus metrics."""

import logging
import sys
import time
import uuid

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.errors import unexpected
from chatbot.tracing import add_trace_id

log = structlog.get_logger()

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
QUIET_ROUTES = ("/livez", "/readyz", "/metrics")


class Metrics:
    """The metrics of one process.

    Names with `vllm:` are those that vLLM's server gives (vllm/v1/metrics/loggers.py), so that routers, autoscalers
    and dashboards made for it read ours; only what is really measured here is offered.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        model = ("model_name",)
        self.waiting = Gauge("vllm:num_requests_waiting", "Requests queued for the model.", model, registry=registry)
        self.running = Gauge("vllm:num_requests_running", "Requests the model works on.", model, registry=registry)
        self.kv_cache = Gauge(
            "vllm:kv_cache_usage_perc",
            "Share of the context that the answer in work holds; 1: full.",
            model,
            registry=registry,
        )
        self.first_token = Histogram(
            "vllm:time_to_first_token_seconds", "Acceptance to first text.", model, registry=registry, buckets=SECONDS
        )
        self.inter_token = Histogram(
            "vllm:inter_token_latency_seconds", "Gap between two texts.", model, registry=registry, buckets=SECONDS
        )
        self.whole_request = Histogram(
            "vllm:e2e_request_latency_seconds", "Acceptance to end.", model, registry=registry, buckets=SECONDS
        )
        self.prompt_tokens = Counter("vllm:prompt_tokens", "Tokens read.", model, registry=registry)
        self.generation_tokens = Counter("vllm:generation_tokens", "Tokens written.", model, registry=registry)
        self.success = Counter(
            "vllm:request_success",
            "Requests by their end: stop, length, abort (the reader left) or error.",
            (*model, "finished_reason"),
            registry=registry,
        )
        self.http = Histogram(
            "chatbot_http_request_seconds",
            "HTTP requests, the whole stream included.",
            ("method", "route", "status"),
            registry=registry,
            buckets=SECONDS,
        )
        self.retrieval = Histogram(
            "chatbot_retrieval_seconds", "Embedding and search.", registry=registry, buckets=SECONDS
        )
        self.passages = Histogram(
            "chatbot_retrieval_passages",
            "Passages found for a question; 0 is a miss.",
            registry=registry,
            buckets=(0, 1, 2, 3, 4),
        )
        self.first_text = Histogram(
            "chatbot_time_to_first_token_seconds",
            "Question to first text of its answer, retrieval and waiting for the engine included.",
            registry=registry,
            buckets=SECONDS,
        )
        self.answers = Counter(
            "chatbot_answers",
            "Chats by their end: complete, interrupted (the reader left) or failed, also in the middle of a stream.",
            ("outcome",),
            registry=registry,
        )
        self.notices = Counter("chatbot_notices", "Chats answered without a store.", ("store",), registry=registry)
        self.logins = Counter(
            "chatbot_logins",
            "Ends of logins through the organisation: signed_in, or why not.",
            ("outcome",),
            registry=registry,
        )
        self.pending_history = Gauge(
            "chatbot_history_pending", "History writes waiting for the store.", registry=registry
        )


class Requests:
    """ASGI middleware: a request id, the duration, a log line without query or headers; 500 for our own faults."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = uuid.uuid4().hex
        status = 499  # the client left before an answer began
        is_answered = False
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status, is_answered
            if message["type"] == "http.response.start":
                status, is_answered = message["status"], True
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            except Exception as error:
                if is_answered:
                    raise
                await unexpected(error).response()(scope, receive, send_with_id)
            finally:
                seconds = time.perf_counter() - started
                # The template, never the path: a one-time login is part of a path.
                route = getattr(scope.get("route"), "path", None) or "unmatched"
                self.metrics.http.labels(scope["method"], route, status).observe(seconds)
                if route not in QUIET_ROUTES:
                    log.info("request", method=scope["method"], route=route, status=status, seconds=round(seconds, 3))


def configure_logging() -> None:
    """Send structlog's and the libraries' events as JSON lines to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(ensure_ascii=False), foreign_pre_chain=shared
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
