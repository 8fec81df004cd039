"""The questions that decide a rollout, against a server that answers well, badly, or slowly."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from infra.delivery import analysis
from infra.delivery.measure import Limits, measure, wait_for

KEY = "canary-key"
Answer = Callable[["Server", BaseHTTPRequestHandler], None]


class Server:
    """A service of a few lines; ``answer`` writes the body of one chat."""

    def __init__(self, answer: Answer) -> None:
        self.count = 0
        self.bodies: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()

            def do_POST(self) -> None:
                outer.count += 1
                outer.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                known = self.path == "/v1/chat/completions" and self.headers["Authorization"] == f"Bearer {KEY}"
                if known:
                    answer(outer, self)
                else:
                    self.send_error(401)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def event(request: BaseHTTPRequestHandler, body: object) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    request.wfile.write(f"data: {text}\n\n".encode())
    request.wfile.flush()


def said(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def well(_: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(b": keep-alive\n\n")
    event(request, {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
    event(request, said("ready"))
    event(request, {"choices": [], "notices": ["no documents"]})
    event(request, "[DONE]")


def slowly(server: Server, request: BaseHTTPRequestHandler) -> None:
    time.sleep(0.4)
    well(server, request)


def slowly_at(numbers: set[int]) -> Answer:
    """Answer some questions late; number 1 is the one that does not count."""

    def answer(server: Server, request: BaseHTTPRequestHandler) -> None:
        (slowly if server.count in numbers else well)(server, request)

    return answer


def loading(seconds: float) -> Answer:
    """Hold every question back until ``seconds`` after the first, as an api whose engine loads its model."""
    ready_at: list[float] = []

    def answer(server: Server, request: BaseHTTPRequestHandler) -> None:
        ready_at.append(time.monotonic() + seconds)
        time.sleep(max(0.0, ready_at[0] - time.monotonic()))
        well(server, request)

    return answer


def with_errors(every: int) -> Answer:
    def answer(server: Server, request: BaseHTTPRequestHandler) -> None:
        if server.count % every:
            well(server, request)
        else:
            request.send_error(503)

    return answer


def with_an_error_inside(_: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    event(request, said("rea"))
    event(request, {"error": {"message": "the engine is gone"}})
    event(request, "[DONE]")


def breaking_off(_: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    event(request, said("rea"))


def empty(_: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    event(request, "[DONE]")


def hanging(_: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    time.sleep(1)


def garbled(_: Server, request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    event(request, "{not json")


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    running: list[Server] = []

    def start(answer: Answer) -> Server:
        server = Server(answer)
        Thread(target=server.server.serve_forever, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.server.shutdown()
        server.server.server_close()


def limits(url: str, **fields: Any) -> Limits:
    whole = {
        "key": KEY,
        "requests": 20,
        "at_once": 4,
        "error_percent": 5.0,
        "first_token_seconds": 0.3,
        "timeout_seconds": 0.5,
        "warm_up_seconds": 0.5,
        "start_seconds": 0.2,
    }
    return Limits(url=url, **{**whole, **fields})


def test_a_good_version_passes(serve: Callable[[Answer], Server]) -> None:
    server = serve(well)
    result = measure(limits(server.url))
    assert (result["good"], result["requests"], result["problems"]) == (True, 20, {})
    assert server.count == 1 + 20, "one question goes before those that count"
    assert all(body["stream"] and body["max_tokens"] == 8 for body in server.bodies)


def test_a_few_errors_are_borne_and_more_are_not(serve: Callable[[Answer], Server]) -> None:
    assert measure(limits(serve(with_errors(20)).url))["good"]
    bad = measure(limits(serve(with_errors(10)).url))
    assert bad["reasons"] == ["2 of 20 answers failed"]
    assert bad["problems"] == {"status 503": 2}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (with_an_error_inside, "error inside the answer"),
        (breaking_off, "the answer breaks off"),
        (empty, "an empty answer"),
        (hanging, "TimeoutError"),
        (garbled, "JSONDecodeError"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_every_kind_of_failure_counts(answer: Answer, problem: str, serve: Callable[[Answer], Server]) -> None:
    result = measure(limits(serve(answer).url, requests=2))
    assert not result["good"]
    assert result["problems"] == {problem: 2}


def test_a_slow_version_fails(serve: Callable[[Answer], Server]) -> None:
    result = measure(limits(serve(slowly).url, requests=4, timeout_seconds=2))
    assert not result["good"]
    assert str(result["reasons"]).startswith("['answers begin after 0.4")


def test_one_slow_answer_of_twenty_is_borne_and_two_are_not(serve: Callable[[Answer], Server]) -> None:
    assert measure(limits(serve(slowly_at({7})).url, at_once=1))["good"]
    assert not measure(limits(serve(slowly_at({7, 12})).url, at_once=1))["good"]


def test_an_engine_that_loads_its_model_is_waited_for(serve: Callable[[Answer], Server]) -> None:
    assert measure(limits(serve(loading(1)).url, warm_up_seconds=5))["good"]
    assert not measure(limits(serve(loading(2)).url))["good"], "and not for ever"


def test_waits_until_somebody_answers(serve: Callable[[Answer], Server]) -> None:
    assert wait_for(limits(serve(well).url))
    assert not wait_for(limits("http://127.0.0.1:9"))


@pytest.mark.parametrize(("answer", "status"), [(well, 0), (with_errors(1), 1), (None, 2)], ids=["good", "bad", "none"])
def test_as_the_job_runs_it(
    answer: Answer | None, status: int, serve: Callable[[Answer], Server], tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = {
        "MEASURE_URL": serve(answer).url if answer else "http://127.0.0.1:9",
        "MEASURE_KEY_FILE": str(tmp_path / "key"),
        "MEASURE_REQUESTS": "3",
        "MEASURE_AT_ONCE": "2",
        "MEASURE_ERROR_PERCENT": "0",
        "MEASURE_FIRST_WORD_SECONDS": "5",
        "MEASURE_TIMEOUT_SECONDS": "5",
        "MEASURE_WARM_UP_SECONDS": "5",
        "MEASURE_START_SECONDS": "0.1",
    }
    script = [sys.executable, str(analysis.SCRIPT)]
    done = subprocess.run(script, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert json.loads(done.stdout)["good"] == (status == 0)
    assert KEY not in done.stdout + done.stderr
