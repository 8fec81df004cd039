"""A real API server for tests: kube-apiserver and etcd on free loopback ports, in a folder of their own.

Nothing schedules pods, so tests that apply workloads set the annotation ``pulumi.com/skipAwait``. Controllers run only
when asked for; without those of ``DELETING``, namespaces and owners deleted in the foreground never go.
"""

import base64
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

KUBERNETES_VERSION = "v1.30.14"
START_SECONDS = 60
DELETING = ("namespace-controller", "garbage-collector-controller")
"""Controllers that deletions need."""
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
BINARIES = _CACHE / "aihub" / "toolchain" / "kubernetes" / KUBERNETES_VERSION / "bin"
_TOKEN = "a-token-of-tests-only"


def missing() -> str:
    """Return why no API server can be started here; empty when one can."""
    for name in ("kube-apiserver", "kube-controller-manager"):
        if _binary(name) is None:
            return f"no {name} on PATH or in {BINARIES}"
    if _binary("etcd") is None:
        return "no etcd on PATH (Debian: apt-get install etcd-server)"
    return ""


def _binary(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=str(BINARIES))


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class ApiServer:
    """``with ApiServer() as server``: an API server that answers, with an administrator's kubeconfig."""

    def __init__(self, *, controllers: Sequence[str] = ()) -> None:
        """Choose folder and ports; nothing runs before ``with``."""
        self._controllers = controllers
        self.directory = Path(tempfile.mkdtemp(prefix="apiserver-"))
        self.kubeconfig = self.directory / "kubeconfig"
        self._etcd_port, self._peer_port, self._port, self._manager_port = _free_ports(4)
        self._processes: list[subprocess.Popen[bytes]] = []
        self.url = f"https://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        """Start both and wait until the server is ready."""
        reason = missing()
        if reason:
            raise RuntimeError(reason)
        try:
            self._write_keys()
            self._start("etcd", self._etcd_arguments())
            self._start("kube-apiserver", self._apiserver_arguments())
            self._wait()
            self._write_kubeconfig()
            if self._controllers:
                self._start("kube-controller-manager", self._manager_arguments())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both and remove the folder."""
        self._stop()

    def _start(self, name: str, arguments: Sequence[str]) -> None:
        program = _binary(name)
        assert program is not None
        with (self.directory / f"{name}.log").open("wb") as log:
            self._processes.append(subprocess.Popen([program, *arguments], stdout=log, stderr=subprocess.STDOUT))

    def _stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _write_keys(self) -> None:
        (self.directory / "tokens.csv").write_text(f"{_TOKEN},tests,tests,system:masters\n")
        subprocess.run(
            ["openssl", "genrsa", "-out", str(self.directory / "account.key"), "2048"], check=True, capture_output=True
        )

    def _etcd_arguments(self) -> list[str]:
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        return [
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync=true",
        ]

    def _apiserver_arguments(self) -> list[str]:
        key = self.directory / "account.key"
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            f"--cert-dir={self.directory / 'certificates'}",
            f"--token-auth-file={self.directory / 'tokens.csv'}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://tests.invalid",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            # Without its controller no namespace ever gets its default account, and no pod would be admitted.
            "--disable-admission-plugins=ServiceAccount",
        ]

    def _manager_arguments(self) -> list[str]:
        return [
            f"--kubeconfig={self.kubeconfig}",
            f"--controllers={','.join(self._controllers)}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._manager_port}",
            f"--cert-dir={self.directory / 'manager'}",
        ]

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        unverified = ssl._create_unverified_context()
        request = urllib.request.Request(f"{self.url}/readyz", headers={"Authorization": f"Bearer {_TOKEN}"})
        while True:
            try:
                with urllib.request.urlopen(request, context=unverified, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                ended = [process for process in self._processes if process.poll() is not None]
                if ended or time.monotonic() > deadline:
                    logs = [path.read_text(errors="replace")[-1500:] for path in self.directory.glob("*.log")]
                    raise RuntimeError("the API server did not start:\n" + "\n".join(logs)) from None
                time.sleep(0.2)

    def _write_kubeconfig(self) -> None:
        certificate = (self.directory / "certificates" / "apiserver.crt").read_bytes()
        cluster = {"server": self.url, "certificate-authority-data": base64.b64encode(certificate).decode()}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "tests", "user": {"token": _TOKEN}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "current-context": "tests",
        }
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(content))
