"""`make verify` asks the services over HTTP and the database by psql, and says what is not as it should be."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ops import verify
from ops.checks import aipp
from ops.kubectl import Kubectl

PAGES = {
    "/": '<link rel="stylesheet" href="/style.css"><link rel="icon" href="/none.ico"><script src="app.js"></script>',
    "/style.css": "",
    "/app.js": "",
    "/broken": '<script src="/gone.js"></script>',
    "/ready": "UP",
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path in PAGES else 404)
        self.end_headers()
        self.wfile.write(PAGES.get(self.path, "").encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def cluster(folder: Path, script: str) -> Kubectl:
    """Return a cluster whose kubectl is a script."""
    kubectl = folder / "kubectl"
    kubectl.write_text(f"#!/bin/sh\n{script}\n")
    kubectl.chmod(0o755)
    return Kubectl(program=kubectl, environment={"PATH": os.environ["PATH"]})


def deployment(name: str, probe: dict[str, Any]) -> dict[str, Any]:
    container = {"readinessProbe": probe, "ports": [{"name": "http", "containerPort": 8080}]}
    return {"metadata": {"name": name}, "spec": {"template": {"spec": {"containers": [container]}}}}


def test_page_opens_when_all_that_it_loads_is_there(url: str) -> None:
    assert aipp.page(f"{url}/").ok
    assert "with 2 scripts and styles" in aipp.page(f"{url}/").says
    assert "/gone.js answers 404" in aipp.page(f"{url}/broken").says
    assert not aipp.page(f"{url}/none").ok
    assert "no page" in aipp.page(f"{url}/ready").says
    assert not aipp.page("http://127.0.0.1:1/").ok


def test_health_is_asked_where_it_is_declared() -> None:
    listed = {
        "items": [
            deployment("enai-backend", {"httpGet": {"path": "/ready", "port": "http"}}),
            deployment("enai-front", {"tcpSocket": {"port": "http"}}),
        ]
    }
    assert list(aipp.health_pages(listed)) == [("enai-backend", 8080, "/ready")]


def test_health_goes_through_a_forwarded_port(url: str, tmp_path: Path) -> None:
    port = url.rpartition(":")[2]
    there = cluster(tmp_path, f'echo "Forwarding from 127.0.0.1:{port} -> 8080"; exec sleep 60')
    assert aipp.health(there, "aipp", "enai-backend", 8080, "/ready").ok
    finding = aipp.health(there, "aipp", "enai-backend", 8080, "/other")
    assert (finding.ok, finding.says) == (False, "/other answers 404")
    nobody = aipp.health(cluster(tmp_path, "exit 1"), "aipp", "enai-backend", 8080, "/ready")
    assert (nobody.ok, nobody.says) == (False, "/ready: no pod of it runs")


def test_extension_is_there_with_its_version_or_is_not(tmp_path: Path) -> None:
    assert aipp.extension(cluster(tmp_path, "echo 0.8.1"), "aipp").says == "version 0.8.1"
    missing = aipp.extension(cluster(tmp_path, "exit 0"), "aipp")
    assert not missing.ok
    assert "the database has none" in missing.says
    refused = cluster(tmp_path, "echo pods not found >&2; exit 1")
    assert "pods not found" in aipp.extension(refused, "aipp").says


def test_application_counts_by_the_namespace_that_it_fills() -> None:
    application = {"metadata": {"namespace": "argocd"}, "spec": {"destination": {"namespace": "aipp"}}}
    assert verify._concerns(application, ["aipp"])
    assert not verify._concerns(application, ["chat"])
