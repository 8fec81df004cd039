"""The download script, run as in its pod: a process of its own against a hub that speaks HTTP."""

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.chat.names import DOWNLOAD_SCRIPT

Source = Callable[["Hub"], list[str]]
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
        elif self.path.startswith(("/a/b/resolve/main/", "/mirror/")):
            content = hub.serves[self.path.removeprefix("/a/b/resolve/main/").removeprefix("/mirror/")]
            begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            self._answer(416 if begin >= len(content) else 206 if begin else 200, content[begin:])
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


def run(folder: Path, *source: str, quantization: str = "none") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(DOWNLOAD_SCRIPT), "--folder", str(folder), "--quantization", quantization, *source]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def of_hub(hub: Hub, revision: str = "main") -> list[str]:
    return ["--hub", f"{hub.url}/", "--repository", "a/b", "--revision", revision]


def of_address(hub: Hub, **changes: str) -> list[str]:
    paths = [path for path in FILES if not path.endswith(".bin")]
    hashes = {path: hashlib.sha256(FILES[path]).hexdigest() for path in paths} | changes
    return ["--address", f"{hub.url}/mirror", *(f"--file={sha256}={path}" for path, sha256 in hashes.items())]


def holds(folder: Path) -> dict[str, bytes]:
    """Return path -> content of the model's files in a folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".verified.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


WITHOUT_PICKLES = {path: content for path, content in FILES.items() if not path.endswith(".bin")}


def test_folder_holds_what_an_engine_needs_and_no_pickles(hub: Hub, tmp_path: Path) -> None:
    done = run(tmp_path / "model", *of_hub(hub))
    assert done.returncode == 0, done.stderr
    assert holds(tmp_path / "model") == WITHOUT_PICKLES


def test_address_without_a_hubs_api_serves_as_well(hub: Hub, tmp_path: Path) -> None:
    done = run(tmp_path, *of_address(hub))
    assert done.returncode == 0, done.stderr
    assert holds(tmp_path) == WITHOUT_PICKLES
    assert not [path for path, _ in hub.requests if path.startswith("/api/")]


@pytest.mark.parametrize("source", [of_hub, of_address], ids=["hub", "address"])
def test_second_run_asks_nobody(source: Source, hub: Hub, tmp_path: Path) -> None:
    run(tmp_path, *source(hub))
    hub.requests.clear()
    done = run(tmp_path, *source(hub))
    assert done.returncode == 0
    assert hub.requests == []
    assert "verified before" in done.stdout


def test_another_source_is_verified_anew(hub: Hub, tmp_path: Path) -> None:
    run(tmp_path, *of_hub(hub))
    done = run(tmp_path, *of_address(hub))
    assert (done.returncode, "verified before" in done.stdout) == (0, False)


@pytest.mark.parametrize("source", [of_hub, of_address], ids=["hub", "address"])
def test_cut_download_goes_on_where_it_ended(source: Source, hub: Hub, tmp_path: Path) -> None:
    hub.cut_after_bytes = 700_000
    done = run(tmp_path, *source(hub))
    assert done.returncode == 0, done.stderr
    ranges = [wanted for path, wanted in hub.requests if path.endswith(".safetensors")]
    assert ranges[0] == ""
    assert ranges[1].startswith("bytes=")
    assert ranges[1] != "bytes=0-"
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS


def test_leftover_of_another_download_does_not_stay(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.partial").write_bytes(b"x" * (len(WEIGHTS) + 1))
    done = run(tmp_path, *of_address(hub))
    assert done.returncode == 0, done.stderr
    assert holds(tmp_path) == WITHOUT_PICKLES


@pytest.mark.parametrize("damage", [b"\0" * len(WEIGHTS), b"short"], ids=["same-size", "shorter"])
def test_damaged_file_on_the_volume_is_fetched_again(damage: bytes, hub: Hub, tmp_path: Path) -> None:
    run(tmp_path, *of_hub(hub))
    (tmp_path / "model.safetensors").write_bytes(damage)
    assert run(tmp_path, *of_hub(hub)).returncode == 0
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("source", [of_hub, of_address], ids=["hub", "address"])
def test_content_with_another_hash_is_refused(
    source: Source, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.serves["nested/tokenizer.json"] = b"{}"
    script = tmp_path / "script.py"
    script.write_text(DOWNLOAD_SCRIPT.read_text().replace("time.sleep(attempt)", ""))
    monkeypatch.setattr(sys.modules[__name__], "DOWNLOAD_SCRIPT", script)
    done = run(tmp_path / "model", *source(hub))
    assert done.returncode == 1
    assert "its content does not have the hash that is published or stated for it" in done.stderr
    assert not (tmp_path / "model/nested/tokenizer.json").exists()
    assert not (tmp_path / "model/.verified.json").exists()


@pytest.mark.parametrize(
    ("config", "stated", "problem"),
    [
        ({"quantization_config": {"quant_method": "fp8"}}, "none", "is fp8, the version's says none"),
        ({"text_config": {"quantization_config": {"quant_method": "awq"}}}, "none", "is awq, the version's says none"),
        ({}, "fp8", "is none, the version's says fp8"),
        ({"auto_map": {"AutoModel": "a.B"}}, "none", "asks for code of its repository"),
    ],
    ids=["packed", "packed-inside", "not-packed", "code"],
)
def test_what_no_engine_loads_is_refused_before_its_weights_come(
    config: dict[str, object], stated: str, problem: str, hub: Hub, tmp_path: Path
) -> None:
    hub.serves["config.json"] = text = json.dumps(config).encode()
    done = run(tmp_path, *of_address(hub, **{"config.json": hashlib.sha256(text).hexdigest()}), quantization=stated)
    assert done.returncode == 1
    assert problem in done.stderr
    assert [path for path, _ in hub.requests] == ["/mirror/config.json"]


def test_unknown_model_names_the_fix(hub: Hub, tmp_path: Path) -> None:
    done = run(tmp_path, *of_hub(hub, revision="other"))
    assert done.returncode == 1
    assert "HTTP 404: check source.repository and source.revision" in done.stderr


def test_hub_that_cannot_be_reached_names_the_fix(hub: Hub, tmp_path: Path) -> None:
    hub.url = "http://127.0.0.1:9"
    done = run(tmp_path, *of_hub(hub))
    assert done.returncode == 1
    assert "check that the pod may reach the hub" in done.stderr
