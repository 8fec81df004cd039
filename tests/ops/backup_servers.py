"""The stores as processes of this machine, reached by the very scripts that run in their pods."""

import json
import os
import shlex
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.data.rabbitmq import configuration as rabbitmq_configuration
from infra.data.redis import configuration as redis_configuration
from ops.backups.reach import Said, attempt_here
from ops.paths import SERVICE_VENV
from tests.infra.aipp import servers
from tests.infra.aipp.servers import ACCOUNT, PASSWORD, found, free_port, wait_until

HOME = "/api/v2/tenants/default_tenant/databases/default_database/collections"


@dataclass(frozen=True, kw_only=True)
class Here:
    """A Reach of a process of this machine: what a pod has at fixed places lies in a folder here."""

    name: str
    environment: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)
    """Folder in the pod -> here."""
    number: int = 0
    account: int | None = None

    def attempt(self, script: str, stdin: Path | None = None, stdout: Path | None = None) -> Said:
        for pod, here in self.places.items():
            script = script.replace(pod, here)
        command = ["setpriv", f"--reuid={self.account}", f"--regid={self.account}", "--clear-groups"]
        return attempt_here(
            [*(command if self.account else []), "sh", "-c", script], dict(self.environment), stdin, stdout
        )

    def port(self, number: int) -> AbstractContextManager[int]:
        return nullcontext(self.number)


@contextmanager
def redis(folder: Path, memory_mib: int = 256, delay_seconds: int = 0) -> Iterator[Here]:
    """A Redis with the pod's own configuration, started again whenever it ends, as the kubelet would."""
    server, port = found("redis-server", "redis-server"), free_port()
    data, auth, programs = (folder / name for name in ("data", "auth", "bin"))
    for each in (data, auth, programs):
        each.mkdir(parents=True)
    (auth / "password").write_text(PASSWORD)
    (auth / "auth.conf").write_text(f'requirepass "{PASSWORD}"\n')
    client = programs / "redis-cli"
    client.write_text(f'#!/bin/sh\nexec {found("redis-cli", "redis-tools")} -p {port} "$@"\n')
    client.chmod(0o755)
    text = redis_configuration(memory_mib).replace("port 6379", f"port {port}").replace("* -::*", "127.0.0.1")
    text += f"repl-diskless-sync-delay {delay_seconds}\n"  # before it sends a snapshot; its own default is 5
    (folder / "redis.conf").write_text(text.replace("/data", str(data)).replace("/etc/redis-auth", str(auth)))
    process: list[subprocess.Popen[bytes]] = []
    over = threading.Event()

    def keep_running() -> None:
        while not over.is_set():
            process[:] = [subprocess.Popen([server, str(folder / "redis.conf")], stdout=subprocess.DEVNULL)]
            process[0].wait()

    keeper = threading.Thread(target=keep_running)
    keeper.start()
    here = Here(
        name=f"data/{folder.name}",
        environment={"PATH": f"{programs}:{os.environ['PATH']}"},
        places={"/etc/redis-auth": str(auth), "/data": str(data)},
    )
    try:
        wait_until(lambda: not cli(here, "ping", check=False).status, "Redis")
        yield here
    finally:
        over.set()
        process[0].kill()
        keeper.join()


def cli(here: Here, *arguments: str, check: bool = True) -> Said:
    said = here.attempt(f"REDISCLI_AUTH={PASSWORD} redis-cli -e {shlex.join(arguments)}")
    assert not check or not said.status, said.err
    return said


@contextmanager
def chroma(folder: Path) -> Iterator[Here]:
    """The Chroma of the service's environment."""
    program, port = SERVICE_VENV / "bin" / "chroma", free_port()
    if not program.exists():
        pytest.skip(f"{program} is not there")
    command = [str(program), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    here = Here(name=f"data/{folder.name}", environment={}, number=port)

    def answers() -> bool:
        try:
            ask(here, "GET", "/api/v2/heartbeat")
        except OSError:
            return False
        return True

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(answers, "Chroma")
            yield here
        finally:
            process.kill()


def ask(here: Here, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{here.number}{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


@contextmanager
def postgres() -> Iterator[tuple[Here, servers.Postgres]]:
    """A PostgreSQL as the pod has it: its socket lets its own account in."""
    with servers.postgres() as running:
        here = Here(
            name="aipp/pgvector-0",
            environment={
                "PATH": os.environ["PATH"],
                "PGPORT": str(running.port),
                "POSTGRES_USER": "aipp",
                "POSTGRES_DB": "aipp",
            },
            places={"/var/run/postgresql": str(running.folder)},
        )
        yield here, running


@contextmanager
def rabbitmq(definitions: str) -> Iterator[Here]:
    """A RabbitMQ with the pod's own configuration."""
    ports = {5672: free_port(), 15672: free_port(), 15692: free_port()}
    configuration = rabbitmq_configuration(256)
    with servers.rabbitmq(configuration, definitions, "[rabbitmq_management].\n", ports) as folder:
        variables = dict(line.partition("=")[::2] for line in (folder / "environment").read_text().splitlines())
        here = Here(
            name="aipp/rabbitmq-0",
            environment={**variables, "PATH": f"/usr/lib/rabbitmq/bin:{variables['PATH']}"},
            account=ACCOUNT,
        )
        wait_until(lambda: not here.attempt("rabbitmqctl -q await_startup --timeout 60").status, "RabbitMQ", 120)
        yield here


def shell(here: Here, commands: Sequence[str]) -> None:
    for each in commands:
        said = here.attempt(each)
        assert not said.status, said.err + said.out
