"""The prune script, run as in its pod: a process of its own that asks an engine over HTTP."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.chat.names import PRUNE_SCRIPT

LISTED, SERVING, OLD = "new-0123456789ab", "old-0123456789ab", "older-0123456789ab"


class Engine(ThreadingHTTPServer):
    """Says which model it serves, to those who have the key."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.serves = "old"
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    """Answers as the engine does."""

    server: Engine

    def do_GET(self) -> None:
        allowed = self.path == "/v1/models" and self.headers.get("Authorization") == "Bearer secret"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"data": [{"id": self.server.serves}]} if allowed else {}).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for name in (LISTED, SERVING, OLD, "lost+found", "somebodys-own"):
        (tmp_path / "store" / name / "nested").mkdir(parents=True)
        (tmp_path / "store" / name / "nested/model.safetensors").write_bytes(b"x")
    return tmp_path / "store"


def prune(store: Path, engine: str, key: str = "secret\n") -> subprocess.CompletedProcess[str]:
    key_file = store.parent / "key"
    key_file.write_text(key)
    argv = [sys.executable, str(PRUNE_SCRIPT), "--store", str(store), "--engine", engine]
    argv += ["--key-file", str(key_file), "--keep", LISTED]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def folders(store: Path) -> set[str]:
    return {path.name for path in store.iterdir()}


def test_what_is_neither_listed_nor_serving_goes(engine: Engine, store: Path) -> None:
    done = prune(store, engine.url)
    assert done.returncode == 0, done.stderr
    assert folders(store) == {LISTED, SERVING, "lost+found", "somebodys-own"}
    assert f"{OLD}: deleted" in done.stdout


@pytest.mark.parametrize("key", ["secret", "wrong"], ids=["engine-away", "key-refused"])
def test_without_an_engine_that_answers_nothing_goes(key: str, engine: Engine, store: Path) -> None:
    before = folders(store)
    done = prune(store, engine.url if key == "wrong" else "http://127.0.0.1:9/v1", key)
    assert done.returncode == 1
    assert "nothing more is deleted" in done.stderr
    assert folders(store) == before
