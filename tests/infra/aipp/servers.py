"""Real PostgreSQL, Redis and RabbitMQ on free loopback ports, as Debian has them."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.data.pgvector import server_options

PASSWORD = "canary-3c9d"
_POSTGRES = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
NOBODY = 65534
ACCOUNT = NOBODY if os.getuid() == 0 else None
"""Under whom servers run that refuse to be root; None: under ours."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def found(program: str, package: str, folders: Sequence[str] = ()) -> str:
    """Return where a program is; skip the test where it is not."""
    path = shutil.which(program, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *folders]))
    if path is None:
        pytest.skip(f"{program} is not installed (apt-get install {package})")
    return path


def wait_until(is_true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.1)


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that a server without root's rights may use: neither server runs as root."""
    with tempfile.TemporaryDirectory(prefix="aihub-", ignore_cleanup_errors=True) as name:
        if os.getuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@dataclass(frozen=True)
class Postgres:
    """A server with one account and one database, both called aipp."""

    folder: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What psql and the steps need to reach it."""
        login = self.folder / "login"
        return {
            "PATH": os.environ["PATH"],
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "aipp",
            "PGDATABASE": "aipp",
            "LOGIN_FILE": str(login),
            "PAUSE_SECONDS": "0.2",
        }

    def ask(self, sql: str, **variables: str) -> str:
        environment = {**self.environment, "PGPASSWORD": PASSWORD, **variables}
        done = subprocess.run(["psql", "-qtAX", "-c", sql], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def postgres() -> Iterator[Postgres]:
    initdb, server = (found(name, "postgresql", _POSTGRES) for name in ("initdb", "postgres"))
    with own_folder() as folder:
        login, port = folder / "login", free_port()
        login.write_text(PASSWORD)
        login.chmod(0o644)
        make = [initdb, "-D", str(folder / "data"), "-U", "aipp", f"--pwfile={login}", "--auth-host=scram-sha-256"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, user=ACCOUNT, group=ACCOUNT)
        command = [server, "-D", str(folder / "data"), "-p", str(port), "-k", str(folder), *server_options(512)]
        command += ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
        with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, user=ACCOUNT, group=ACCOUNT) as process:
            running = Postgres(folder, port)
            try:
                wait_until(
                    lambda: subprocess.run(["pg_isready", "-qh", "127.0.0.1", "-p", str(port)]).returncode == 0, "it"
                )
                running.ask("CREATE DATABASE aipp", PGDATABASE="postgres")
                yield running
            finally:
                process.send_signal(3)  # SIGQUIT: at once
                process.wait()


def step(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start a step of a pod; its words are readable at the end."""
    return subprocess.Popen(
        list(command), env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def redis() -> Iterator[int]:
    """Yield the port of a Redis with a password."""
    port = free_port()
    command = [found("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen([*command, "--requirepass", PASSWORD], stdout=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.kill()


@contextmanager
def rabbitmq(configuration: str, definitions: str, plugins: str, ports: Mapping[int, int]) -> Iterator[Path]:
    """Run RabbitMQ on the files that a pod would mount; yield its folder.

    Args:
        configuration: rabbitmq.conf.
        definitions: definitions.json, its secrets filled in.
        plugins: enabled_plugins.
        ports: port in the configuration -> the one to listen at here.
    """
    server = found("rabbitmq-server", "rabbitmq-server", ["/usr/lib/rabbitmq/bin"])
    server = str(Path("/usr/lib/rabbitmq/bin/rabbitmq-server")) if os.getuid() == 0 else server
    with own_folder() as folder:
        text = configuration.replace("/etc/rabbitmq-definitions", str(folder))
        for declared, here in ports.items():
            text = text.replace(f"= {declared}\n", f"= {here}\n")
        for name, content in (
            ("rabbitmq.conf", text),
            ("definitions.json", definitions),
            ("enabled_plugins", plugins),
        ):
            (folder / name).write_text(content)
            (folder / name).chmod(0o644)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
        }
        (folder / "environment").write_text("\n".join(f"{name}={value}" for name, value in environment.items()))
        said = (folder / "said").open("w")
        with (
            said,
            # Else the server starts it as a daemon, which nobody would end.
            subprocess.Popen(["epmd"], env=environment, user=ACCOUNT, group=ACCOUNT) as names,
            subprocess.Popen(
                [server],
                env=environment,
                cwd=folder,
                stdout=said,
                stderr=said,
                start_new_session=True,
                user=ACCOUNT,
                group=ACCOUNT,
            ) as process,
        ):
            try:
                yield folder
            finally:
                os.killpg(process.pid, 9)
                process.wait()
                names.kill()
