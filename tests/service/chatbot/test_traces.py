"""One question, one trace over both processes; and nothing in it that people wrote."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.chatbot.otlp_collector import Collector, collecting
from tests.service.chatbot.servers import SERVICE, Server, free_port, wait_until
from tests.service.chatbot.test_process import AUTHORIZED, CHAT, Start, ask, chatbot, secrets

__all__ = ["chatbot", "secrets"]

QUESTION = "How many days of annual leave, question-canary-51?"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    with collecting(free_port()) as collector:
        yield collector


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_question_is_one_trace_over_both_processes_without_a_word_of_it(
    chatbot: Start, redis: Server, chroma: Server, collector: Collector
) -> None:
    endpoint = f"http://127.0.0.1:{collector.port}"
    engine = chatbot(ROLE="engine", OTLP_ENDPOINT=endpoint)
    engine.start()
    api = chatbot(
        ROLE="api",
        ENGINE_URL=f"{engine.url}/v1",
        OTLP_ENDPOINT=endpoint,
        REDIS_URL=f"redis://127.0.0.1:{redis.port}/0",
        CHROMA_URL=f"http://127.0.0.1:{chroma.port}",
    )
    api.start()
    document = {"file": ("title-canary.md", b"Annual leave is fifteen days, says document-canary-52.")}
    assert httpx.post(f"{api.url}/api/documents", files=document, headers=AUTHORIZED).is_success
    login = httpx.post(f"{api.url}/api/logins", headers=AUTHORIZED).json()["path"]
    httpx.get(f"{api.url}{login}", params={"code": "code-canary-53"})
    httpx.get(f"{api.url}/readyz")
    baggage = {"baggage": "from=baggage-canary-54"}
    body = {"messages": [{"role": "user", "content": QUESTION}], "stream": True, "max_tokens": 50}
    answer = httpx.post(f"{api.url}{CHAT}", json=body, headers={**AUTHORIZED, **baggage}, timeout=30)
    assert "document-canary-52" in answer.text

    wait_until(lambda: len(collector.named("aihub-engine", f"POST {CHAT}")) == 1, "the engine's span", 20)
    wait_until(lambda: len(collector.named("aihub-api", f"POST {CHAT}")) == 1, "the api's span", 20)
    (root,) = collector.named("aihub-api", f"POST {CHAT}")
    spans = [span for span in collector.spans if span.trace_id == root.trace_id]
    by_id = {span.span_id: span for span in spans}
    below = {
        (span.service, span.name, by_id[span.parent_id].service, by_id[span.parent_id].name)
        for span in spans
        if span is not root and span.parent_id
    }
    assert below == {
        ("aihub-api", "retrieval documents", "aihub-api", f"POST {CHAT}"),
        ("aihub-api", "embeddings", "aihub-api", "retrieval documents"),
        ("aihub-engine", "POST /v1/embeddings", "aihub-api", "embeddings"),
        ("aihub-engine", "embeddings", "aihub-engine", "POST /v1/embeddings"),
        ("aihub-api", "chat quotation", "aihub-api", f"POST {CHAT}"),
        ("aihub-engine", f"POST {CHAT}", "aihub-api", "chat quotation"),
        ("aihub-engine", "chat quotation", "aihub-engine", f"POST {CHAT}"),
    }
    (written,) = [span for span in spans if (span.service, span.name) == ("aihub-api", "chat quotation")]
    assert written.attributes["gen_ai.operation.name"] == "chat"
    assert written.attributes["gen_ai.request.model"] == "quotation"
    assert written.attributes["gen_ai.request.max_tokens"] == 50
    assert written.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert written.attributes["gen_ai.usage.output_tokens"] > 0
    assert 0 < written.attributes["gen_ai.response.time_to_first_chunk"] < 30

    for process in (api, engine):
        (line,) = [line for line in lines(process.log) if line.get("route") == CHAT]
        assert line["trace_id"] == root.trace_id
    routes = {span.attributes.get("http.route") for span in collector.spans}
    assert "/login/{ticket}" in routes
    assert not routes & {"/livez", "/readyz", "/v1/models"}
    sent = b"".join(collector.bodies)
    for secret in ("canary", "leave", login.rsplit("/", 1)[1]):
        assert secret.encode() not in sent


def test_a_refusal_is_an_error_by_its_code(chatbot: Start, tiny_llama: Path, collector: Collector) -> None:
    engine = chatbot(ROLE="engine", MODEL=str(tiny_llama), OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}")
    engine.start()
    body = {"messages": [{"role": "user", "content": "canary " * 2000}]}
    key = {"Authorization": "Bearer engine-key-canary-77d0"}
    assert httpx.post(f"{engine.url}{CHAT}", json=body, headers=key, timeout=30).status_code == 400
    wait_until(lambda: bool(collector.named("aihub-engine", "chat tiny-llama")), "the span", 20)
    (span,) = collector.named("aihub-engine", "chat tiny-llama")
    assert (span.is_error, span.attributes["error.type"]) == (True, "context_length_exceeded")
    assert b"canary" not in b"".join(collector.bodies)


@pytest.mark.parametrize("is_silent", [False, True], ids=["closed", "silent"])
def test_a_collector_that_is_away_costs_no_request_and_one_warning(
    is_silent: bool, chatbot: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        if is_silent:
            silent.listen()
        alone = chatbot(ROLE="all", DATA_DIR=str(tmp_path / "data"), OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
        alone.start()
        deadline = time.monotonic() + 12  # two batches and more, each tried for five seconds
        while time.monotonic() < deadline:
            started = time.monotonic()
            assert ask(alone, "Anybody?").status_code == 200
            assert time.monotonic() - started < 4  # less than one try, and room for a busy machine
            time.sleep(0.3)
        alone.terminate()
        assert alone.wait(20) == 0  # three for the last spans, the rest for PyTorch; thirty is what a pod is given
        assert [line["event"] for line in lines(alone.log) if line["level"] != "info"] == ["traces_not_delivered"]


def test_spans_are_sent_when_the_collector_is_back(
    chatbot: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    port = free_port()
    alone = chatbot(ROLE="all", DATA_DIR=str(tmp_path / "data"), OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    alone.start()
    ask(alone, "Anybody?")
    wait_until(lambda: "traces_not_delivered" in alone.log.read_text(), "the warning", 20)
    with collecting(port) as collector:
        ask(alone, "And now?")
        wait_until(lambda: "traces_delivered_again" in alone.log.read_text(), "the good news", 20)
        assert collector.named("aihub-chat", f"POST {CHAT}")
        ask(alone, "The last words?")
        alone.terminate()
        assert alone.wait(20) == 0
        assert len(collector.named("aihub-chat", f"POST {CHAT}")) >= 2


def test_without_a_collector_the_sdk_is_not_even_imported() -> None:
    code = """
import sys
from chatbot import __main__, app, tracing
tracing.start(None, "engine")
print([name for name in ("opentelemetry.sdk", "opentelemetry.exporter", "requests") if name in sys.modules])
"""
    outcome = subprocess.run([sys.executable, "-c", code], cwd=SERVICE, capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"
