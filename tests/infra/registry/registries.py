"""Registries for tests: the real one, and a small one that logs in by tokens, as GitLab and Harbor do."""

import base64
import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import bcrypt
import pytest
import requests
import yaml

from cluster.openssl import Subject, issue

ACCOUNT, PASSWORD = "reader", "its-password"
VERSION_HEADER = "Docker-Distribution-Api-Version"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}'
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()


@dataclass(frozen=True)
class Certificates:
    """A server's certificate for localhost, and the authority that others must trust."""

    authority: Path
    certificate: Path
    key: Path

    @classmethod
    def made_in(cls, folder: Path) -> "Certificates":
        """Make both."""
        authority, authority_key = folder / "ca.crt", folder / "ca.key"
        issue(Subject(common_name="test"), authority, authority_key, 2, None)
        server = Subject(common_name="localhost", usages=("serverAuth",), names=("DNS:localhost", "IP:127.0.0.1"))
        issue(server, folder / "tls.crt", folder / "tls.key", 2, (authority, authority_key))
        return cls(authority, folder / "tls.crt", folder / "tls.key")


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class TokenRegistry(BaseHTTPRequestHandler):
    """Says what a registry says to whoever pulls; ``enai/prod/hidden`` is for nobody."""

    realm = ""

    def do_GET(self) -> None:
        """Answer."""
        where = urlsplit(self.path)
        if where.path == "/token":
            self._token(parse_qs(where.query)["scope"][0])
        elif not self.headers.get("Authorization", "").startswith("Bearer "):
            challenge = f'Bearer realm="{self.realm}",service="registry",scope="x"'
            self._say(401, b"{}", **{"WWW-Authenticate": challenge})
        elif self.headers["Authorization"] != f"Bearer {where.path.split('/manifests/')[0].removeprefix('/v2/')}":
            self._say(403, b"{}")
        elif where.path.endswith("/manifests/latest"):
            assert INDEX in self.headers["Accept"]
            self._say(200, MANIFEST)
        else:
            self._say(404, b"{}")

    def _token(self, scope: str) -> None:
        basic = "Basic " + base64.b64encode(f"{ACCOUNT}:{PASSWORD}".encode()).decode()
        path = scope.split(":")[1]
        if self.headers.get("Authorization") != basic:
            self._say(401, b"{}")
        else:
            granted = "nothing" if path.endswith("/hidden") else path
            self._say(200, json.dumps({"token": granted}).encode())

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {VERSION_HEADER: "registry/2.0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler], certificates: Certificates | None = None) -> Iterator[int]:
    """Serve on a free port of this machine, by TLS where there are certificates."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    # How long it takes to notice that it is to end.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def token_registry(certificates: Certificates, realm: str | None = None) -> Iterator[int]:
    """Serve a registry that sends logins to ``realm``; None: to itself."""

    class Handler(TokenRegistry):
        pass

    with served(Handler, certificates) as port:
        Handler.realm = realm or f"https://localhost:{port}/token"
        yield port


@contextmanager
def real_registry(folder: Path, certificates: Certificates) -> Iterator[int]:
    """Run the real registry with TLS and one account; ``enai/prod/backend:latest`` is in it."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry on PATH (Debian: apt-get install docker-registry)")
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (folder / "htpasswd").write_text(f"{ACCOUNT}:{hashed}\n")
    port = free_port()
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {
            "addr": f"127.0.0.1:{port}",
            "tls": {"certificate": str(certificates.certificate), "key": str(certificates.key)},
        },
        "auth": {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}},
    }
    (folder / "config.yml").write_text(yaml.safe_dump(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        _push(port, certificates)
        yield port
    finally:
        process.kill()
        process.wait()


def _push(port: int, certificates: Certificates) -> None:
    for _ in range(100):
        try:
            pushed = requests.put(
                f"https://localhost:{port}/v2/enai/prod/backend/manifests/latest",
                data=MANIFEST,
                headers={"Content-Type": INDEX},
                auth=(ACCOUNT, PASSWORD),
                verify=str(certificates.authority),
                timeout=10,
            )
        except requests.ConnectionError:
            time.sleep(0.1)
            continue
        assert pushed.status_code == 201, pushed.text
        return
    raise AssertionError("the registry does not answer")
