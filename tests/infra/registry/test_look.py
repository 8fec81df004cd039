"""Each step on the way to an image fails as itself, and none as another; seen against servers that really do so."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from infra.registry import look as module
from infra.registry.look import Question, Seen, look
from tests.infra.registry.registries import (
    ACCOUNT,
    DIGEST,
    PASSWORD,
    VERSION_HEADER,
    Certificates,
    TokenRegistry,
    free_port,
    real_registry,
    served,
    token_registry,
)

BACKEND = "enai/prod/backend:latest"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def _trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))


def seen(port: int, *images: str, username: str = ACCOUNT, password: str = PASSWORD, host: str = "localhost") -> Seen:
    question: Question = {"registry": f"{host}:{port}", "username": username, "images": list(images) or [BACKEND]}
    return look(question, password, timeout=1.0)


def test_a_name_that_nobody_knows() -> None:
    found = seen(10003, host="registry.invalid")
    assert (found["step"], found["digests"]) == ("name", {})
    assert found["says"].startswith("registry.invalid does not resolve: ")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose packets vanish, as behind a firewall: its queue is full, so the kernel drops new connections."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        yield server.getsockname()[1]
        for client in waiting:
            client.close()


def test_a_firewall_on_the_route(silent_port: int) -> None:
    found = seen(silent_port, host="127.0.0.1")
    assert (found["step"], found["says"]) == (
        "route",
        f"127.0.0.1 port {silent_port} does not answer within 1 s: a firewall, or no route",
    )


def test_a_port_on_which_nothing_listens() -> None:
    port = free_port()
    found = seen(port, host="127.0.0.1")
    assert (found["step"], found["says"]) == (
        "port",
        f"127.0.0.1 refuses port {port}: nothing listens there, or a firewall says so",
    )


@pytest.fixture
def ssh_port() -> Iterator[int]:
    def greet() -> None:
        for _ in range(2):
            client, _ = server.accept()
            client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            client.recv(100)
            client.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1]


def test_a_port_with_something_else_behind_it(ssh_port: int) -> None:
    found = seen(ssh_port)
    assert (found["step"], found["says"]) == (
        "port",
        f"something else answers at localhost:{ssh_port}: 'SSH-2.0-OpenSSH_9.2'",
    )


class Page(BaseHTTPRequestHandler):
    """A web server that is no registry."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


def test_a_web_server_by_plain_http_is_something_else() -> None:
    with served(Page) as port:
        found = seen(port)
    assert (found["step"], found["says"]) == (
        "port",
        f"something else answers at localhost:{port}: a web server by plain http (HTTP/1.0 200 OK)",
    )


@pytest.mark.usefixtures("_trusted")
def test_a_web_server_by_tls_is_something_else(certificates: Certificates) -> None:
    with served(Page, certificates) as port:
        found = seen(port)
    assert (found["step"], found["says"]) == (
        "port",
        f"something else answers at localhost:{port}: no registry (/v2/ says 200)",
    )


def test_a_registry_by_plain_http() -> None:
    with served(TokenRegistry) as port:
        found = seen(port)
    assert (found["step"], found["says"]) == (
        "tls",
        f"localhost:{port} is a registry that speaks plain http: nodes and builders want TLS",
    )


def test_a_certificate_of_an_unknown_authority(certificates: Certificates) -> None:
    with token_registry(certificates) as port:
        found = seen(port)
    assert found["step"] == "tls"
    assert found["says"].startswith(f"the certificate of localhost:{port} is not trusted: unable to get local issuer")


@pytest.mark.usefixtures("_trusted")
def test_a_certificate_of_another_name(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo
    here: Callable[..., Any] = lambda host, *rest, **more: resolve("127.0.0.1", *rest, **more)  # noqa: E731 - one line
    monkeypatch.setattr(socket, "getaddrinfo", here)
    with token_registry(certificates) as port:
        found = seen(port, host="registry.example.com")
    assert found["step"] == "tls"
    assert "Hostname mismatch" in found["says"]


@pytest.mark.usefixtures("_trusted")
def test_a_wrong_password_and_a_missing_one(certificates: Certificates) -> None:
    with token_registry(certificates) as port:
        wrong, missing = seen(port, password="wrong"), seen(port, username="")
    assert (wrong["step"], wrong["says"]) == ("login", f"localhost:{port} refuses account reader (status 401)")
    assert (missing["step"], missing["says"]) == (
        "login",
        f"localhost:{port} refuses whoever has no account (status 401)",
    )


@pytest.mark.usefixtures("_trusted")
def test_an_account_that_may_not_pull_and_an_image_that_is_not_there(certificates: Certificates) -> None:
    with token_registry(certificates) as port:
        hidden = seen(port, BACKEND, "enai/prod/hidden:latest")
        gone = seen(port, BACKEND, "enai/prod/backend:v9")
    assert (hidden["step"], hidden["says"]) == ("login", "account reader may not pull enai/prod/hidden (status 403)")
    assert (gone["step"], gone["says"]) == ("image", "enai/prod/backend:v9 is not there (status 404)")
    assert hidden["digests"] == gone["digests"] == {BACKEND: [DIGEST]}


@pytest.mark.usefixtures("_trusted")
def test_the_way_to_where_one_logs_in_is_a_way_of_its_own(certificates: Certificates) -> None:
    with token_registry(certificates, realm="https://git.invalid/jwt/auth") as port:
        found = seen(port)
    assert found["step"] == "name"
    assert found["says"].startswith(
        f"localhost:{port} sends logins to https://git.invalid/jwt/auth, and there: git.invalid does not resolve"
    )


@pytest.mark.usefixtures("_trusted")
def test_all_is_well_with_tokens(certificates: Certificates) -> None:
    with token_registry(certificates) as port:
        found = seen(port, BACKEND, "enai/prod/linker:latest")
    assert (found["step"], found["says"]) == ("", "answers, and 2 images can be pulled")
    assert list(found["digests"].values()) == [[DIGEST], [DIGEST]]


@pytest.mark.usefixtures("_trusted")
def test_the_real_registry(certificates: Certificates, tmp_path: Path) -> None:
    with real_registry(tmp_path, certificates) as port:
        fine, wrong = seen(port), seen(port, password="wrong")
        missing = seen(port, username="")
        by_digest = seen(port, f"enai/prod/backend@{DIGEST}")
    assert (fine["step"], fine["digests"]) == ("", {BACKEND: [DIGEST]})
    assert by_digest["step"] == ""
    assert (wrong["step"], wrong["says"]) == ("login", f"localhost:{port} refuses account reader (status 401)")
    assert (missing["step"], missing["says"]) == ("login", f"localhost:{port} asks for a login, and none is given")


def test_it_runs_alone_as_in_a_pod_and_never_prints_the_password(certificates: Certificates) -> None:
    """A pod has the file's text, two variables and no library."""
    assert module.__file__
    with token_registry(certificates) as port:
        question = {"registry": f"localhost:{port}", "username": ACCOUNT, "images": [BACKEND]}
        variables = {
            "QUESTION": json.dumps(question),
            "PASSWORD": PASSWORD,
            "SSL_CERT_FILE": str(certificates.authority),
        }
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", Path(module.__file__).read_text()],
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            check=True,
        )
    assert json.loads(done.stdout)["digests"] == {BACKEND: [DIGEST]}
    assert PASSWORD not in done.stdout + done.stderr
    assert VERSION_HEADER not in done.stdout
