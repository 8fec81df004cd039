"""`python -m chatbot`: serve until SIGTERM or SIGINT, then let the answers in work end."""

import signal
import socket
import sys
from wsgiref.simple_server import WSGIServer

import structlog
import uvicorn
from prometheus_client import CollectorRegistry, start_http_server

from chatbot import tracing
from chatbot.app import build_app
from chatbot.settings import PREFIX, ConfigurationError, Settings, load_settings
from chatbot.telemetry import Metrics, configure_logging
from chatbot.wiring import collaborators_for

WRONG_CONFIGURATION = 2

log = structlog.get_logger()


def main() -> int:
    """Run the service; the exit code is 2 when it cannot start as configured."""
    try:
        settings = load_settings()
        configure_logging()
        listener = _listen(settings.host, settings.port)
        traces = tracing.start(settings.otlp_endpoint, settings.role)
        metrics = Metrics()
        scraped = _start_metrics(settings, metrics.registry)
        app = build_app(settings, collaborators_for(settings, metrics))
    except ConfigurationError as error:
        print(f"chatbot cannot start:\n{error}", file=sys.stderr)
        return WRONG_CONFIGURATION
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.drain_seconds,
    )
    log.info("serving", role=settings.role, url=f"http://{settings.host}:{settings.port}")
    # After the drain uvicorn raises the signal again, for whoever had a handler before: an orderly end is not an error.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])
    scraped.shutdown()
    if traces:
        traces.stop()
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Take the port at once, so that a taken one is known before a model is loaded; nobody is let in yet."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise _port_error("PORT", host, port, error) from error
    return listener


def _start_metrics(settings: Settings, registry: CollectorRegistry) -> WSGIServer:
    try:
        server, _ = start_http_server(settings.metrics_port, settings.host, registry)
    except OSError as error:
        raise _port_error("METRICS_PORT", settings.host, settings.metrics_port, error) from error
    return server


def _port_error(setting: str, host: str, port: int, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{PREFIX}{setting}: cannot listen on {host}:{port}: {error.strerror}. Stop what uses it, or set another one"
    )


if __name__ == "__main__":
    sys.exit(main())
