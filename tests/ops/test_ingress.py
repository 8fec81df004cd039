"""A chat behind the stack's own ingress controller: no DNS knows its name, and no machine its root."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cluster.openssl import Subject, issue
from infra.config import StackConfig
from ops import verify
from ops.clients import ingress
from ops.clients.chat import ChatClient, answer_of
from ops.kubectl import Kubectl
from tests.ops.preflight_machine import stack as declared

HOST = "chat.aihub.test"
KEY = "the key"
CONTROLLER = {"controller": {"clusterIp": "10.96.0.80"}}
OWN_ROOT = {"certificates": {"issuer": "ownCa"}}
CLUSTER = """\
#!/bin/sh
case "$*" in
"get -n cert-manager secret aihub-ca "*) printf '%s' '{root}' ;;
"config view "*) printf https://127.0.0.1:6443 ;;
*) exit 1 ;;
esac
"""


class Chat(BaseHTTPRequestHandler):
    """Answers as the chat does; ``/livez`` says which host was asked for."""

    def do_GET(self) -> None:
        is_open = self.path == "/livez" or self.headers["Authorization"] == f"Bearer {KEY}"
        self.send_response(200 if is_open else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"host": self.headers["Host"]}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'data: {"choices": [{"delta": {"content": "yes"}}]}\n\ndata: [DONE]\n\n')

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, and a certificate for the host."""
    folder = tmp_path_factory.mktemp("certificates")
    root = (folder / "ca.crt", folder / "ca.key")
    issue(Subject(common_name="root"), *root, 2, None)
    server = Subject(common_name=HOST, usages=("serverAuth",), names=(f"DNS:{HOST}",))
    issue(server, folder / "tls.crt", folder / "tls.key", 2, root)
    return folder


@pytest.fixture(scope="module", params=["https", "http"])
def url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """Yield the chat's address, by the name that nobody knows."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"{request.param}://{HOST}:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def chat(folder: Path, url: str, network: dict[str, Any], root: bytes | None = None) -> ChatClient:
    """Return a client of the chat at ``url``, on a cluster whose Secret has a root."""
    pem = (folder / "ca.crt").read_bytes() if root is None else root
    program = folder / "kubectl"
    program.write_text(CLUSTER.format(root=base64.b64encode(pem).decode()))
    program.chmod(0o755)
    stack: StackConfig = declared(network=network, chat={"exposure": {"host": HOST}}).stack
    opener = ingress.opener(Kubectl(program=program, environment={}), stack)
    return ChatClient(url=url, api_key=KEY, opener=opener)


def test_chat_is_found_and_trusted_on_a_machine_that_knows_nothing_of_it(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme in ("http", "https"):  # a proxy knows nothing of it either
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    there = chat(folder, url, {**CONTROLLER, **OWN_ROOT})
    assert verify.endpoint(there, "/livez", "chat").ok
    assert verify.closed(there).ok
    assert there.json("GET", "/api/me") == {"host": url.partition("://")[2]}
    assert answer_of(there.stream("well?"))[0] == "yes"


def test_what_the_root_did_not_sign_is_not_trusted(folder: Path, url: str) -> None:
    there = chat(folder, url, {**CONTROLLER, **OWN_ROOT}, root=b"")
    if url.startswith("https"):
        assert "certificate verify failed" in verify.endpoint(there, "/livez", "chat").says
        closed = verify.closed(there)
        assert (closed.ok, closed.says) == (False, "a request without key gets no answer")
        assert "report it" not in closed.fix


def test_a_controller_of_somebody_elses_is_left_to_the_machines_own_dns(folder: Path, url: str) -> None:
    finding = verify.endpoint(chat(folder, url, OWN_ROOT), "/livez", "chat")
    assert not finding.ok
    assert "certificate" not in finding.says


def test_a_stack_without_either_asks_no_cluster() -> None:
    nobody = Kubectl(program=Path("/none"), environment={})
    ingress.opener(nobody, declared().stack)
