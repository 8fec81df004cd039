"""A proxy in the environment is asked for neither the node nor what is on it."""

import os
import shlex
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cluster import __main__ as cluster_command
from cluster import health, no_proxy
from cluster.components.service import HttpHealth
from ops import __main__ as ops_command
from ops import access, paths
from ops.clients.chat import ChatClient
from ops.engine import Engine
from ops.errors import OpsError
from ops.providers import Providers


@pytest.fixture(autouse=True)
def proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that takes no calls, and one host that it is not asked for."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")  # so that what is set here goes again
    monkeypatch.setenv("NO_PROXY", "git.example.com, .corp")
    monkeypatch.setattr(urllib.request, "_opener", None)  # what an earlier test's environment made


class Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Well) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_chat_and_node_are_asked_directly(url: str) -> None:
    with pytest.raises(OpsError):
        ChatClient(url=url, api_key="key").request("GET", "/")
    assert health.trouble(HttpHealth(url=url))
    no_proxy.pass_by()
    assert ChatClient(url=url, api_key="key").request("GET", "/") == b"ok"
    assert health.trouble(HttpHealth(url=url)) is None


def test_what_is_there_stays_whoever_reads_it() -> None:
    no_proxy.pass_by("10.1.2.3")
    no_proxy.pass_by("10.1.2.3")
    expected = "git.example.com,.corp,localhost,127.0.0.1,::1,10.244.0.1,registry.local,10.1.2.3"
    assert [os.environ[name] for name in no_proxy.NAMES] == [expected, expected]
    direct = ("git.example.com", "git.corp", "10.244.0.1:10250", "registry.local:5000")
    assert all(urllib.request.proxy_bypass(host) for host in direct)
    assert not urllib.request.proxy_bypass("pypi.org")


def test_a_star_means_every_host_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    no_proxy.pass_by()
    assert urllib.request.proxy_bypass("pypi.org")


def test_every_command_begins_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ops", "verify", "--stack", "nobody"])
    assert ops_command.main() == 2
    assert urllib.request.proxy_bypass("registry.local:5000")
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ""
    monkeypatch.setattr(sys, "argv", ["cluster", "status"])
    monkeypatch.setattr(cluster_command.node, "status", list)
    assert cluster_command.main() == 0
    assert urllib.request.proxy_bypass("registry.local:5000")


@pytest.mark.parametrize(("server", "hosts"), [("{}", ("10.1.2.3",)), ("{image: a}", ("10.1.2.3", "reg.lan"))])
def test_a_registry_that_the_stack_makes_is_its_own(
    server: str, hosts: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(
        "config:\n  aihub:cluster: {context: there, nodeAddress: 10.1.2.3}\n"
        f"  aihub:registry: {{host: 'reg.lan:5000', server: {server}}}\n"
    )
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    assert access.of_stack(paths.StackPaths("test")).hosts == hosts


def test_a_pulumi_typed_by_hand_passes_by_the_proxy_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "PRIVATE", tmp_path / ".aihub")
    no_proxy.pass_by()
    stack = paths.StackPaths("test")
    lines = Engine(paths=stack, binaries=(), providers=Providers(path=(), said=""), kubeconfig=None, variables={})
    file = tmp_path / "env"
    file.write_text(lines.shell_lines())
    for there in ("", "no_proxy=later.example.com"):
        shown = subprocess.run(
            ["sh", "-euc", f'{there}; . {shlex.quote(str(file))}; echo "$no_proxy $NO_PROXY"'.lstrip("; ")],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert all({"localhost", "registry.local", ".corp"} <= set(value.split(",")) for value in shown)
        assert ("later.example.com" in shown[0].split(",")) is bool(there)
