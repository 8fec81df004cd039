"""The download script, run as in its pod: a process of its own against a hub that speaks HTTP."""

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.chat.model_store import SCRIPT

WEIGHTS = bytes(range(256)) * 5000
FILES = {"config.json": b"{}", "model.safetensors": WEIGHTS, "nested/tokenizer.json": b"[]", "pytorch_model.bin": b"x"}


class Hub(ThreadingHTTPServer):
    """A model hub with one revision."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str]] = []
        self.cut_after_bytes = 0
        self.serves = dict(FILES)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def listing(self) -> bytes:
        """Return what the hub publishes, from the true content."""
        entries = [{"type": "directory", "path": "nested", "size": 0, "oid": ""}]
        for path, content in FILES.items():
            git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            entry: dict[str, object] = {"type": "file", "path": path, "size": len(content), "oid": git}
            if path.endswith(".safetensors"):
                entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
            entries.append(entry)
        return json.dumps(entries).encode()


class Handler(BaseHTTPRequestHandler):
    """Answers as a hub does, ranges included; cuts the first download of the weights when told to."""

    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        hub.requests.append((self.path, self.headers.get("Range", "")))
        if self.path == "/api/models/a/b/tree/main?recursive=true":
            self._answer(200, hub.listing())
        elif self.path.startswith("/a/b/resolve/main/"):
            content = hub.serves[self.path.removeprefix("/a/b/resolve/main/")]
            begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            self._answer(206 if begin else 200, content[begin:])
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if 0 < self.server.cut_after_bytes < len(body):
            self.wfile.write(body[: self.server.cut_after_bytes])
            self.server.cut_after_bytes = 0
            self.close_connection = True
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def download(hub: Hub, folder: Path, model: str = "a/b", revision: str = "main") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(SCRIPT), hub.url, model, revision, str(folder)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_folder_holds_what_an_engine_needs_and_no_pickles(hub: Hub, tmp_path: Path) -> None:
    done = download(hub, tmp_path / "model")
    assert done.returncode == 0, done.stderr
    found = {
        str(path.relative_to(tmp_path / "model")): path.read_bytes()
        for path in (tmp_path / "model").rglob("*")
        if path.is_file()
    }
    assert found == {path: content for path, content in FILES.items() if not path.endswith(".bin")}


def test_second_run_fetches_nothing(hub: Hub, tmp_path: Path) -> None:
    download(hub, tmp_path)
    hub.requests.clear()
    assert download(hub, tmp_path).returncode == 0
    assert [path for path, _ in hub.requests] == ["/api/models/a/b/tree/main?recursive=true"]


def test_cut_download_goes_on_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after_bytes = 700_000
    done = download(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    ranges = [wanted for path, wanted in hub.requests if path.endswith(".safetensors")]
    assert ranges[0] == ""
    assert ranges[1].startswith("bytes=")
    assert ranges[1] != "bytes=0-"
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS


def test_damaged_file_on_the_volume_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    download(hub, tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\0" * len(WEIGHTS))
    assert download(hub, tmp_path).returncode == 0
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS


def test_content_with_another_hash_is_refused(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.serves["config.json"] = b"{ "[:2]
    patched = SCRIPT.read_text().replace("time.sleep(attempt)", "")
    script = tmp_path / "script.py"
    script.write_text(patched)
    monkeypatch.setattr(sys.modules[__name__], "SCRIPT", script)
    done = download(hub, tmp_path / "model")
    assert done.returncode == 1
    assert "config.json: its content does not have the hash that the hub publishes" in done.stderr
    assert not (tmp_path / "model" / "config.json").exists()


def test_unknown_model_names_the_fix(hub: Hub, tmp_path: Path) -> None:
    done = download(hub, tmp_path, revision="other")
    assert done.returncode == 1
    assert "HTTP 404: check chat.model.id and .revision" in done.stderr


def test_hub_that_cannot_be_reached_names_the_fix(hub: Hub, tmp_path: Path) -> None:
    hub.url = "http://127.0.0.1:9"
    done = download(hub, tmp_path)
    assert done.returncode == 1
    assert "check that the pod may reach the hub" in done.stderr
