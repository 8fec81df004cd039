"""Real servers on free loopback ports, that tests can kill and start again."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
import redis
import uvicorn
from fastapi import FastAPI

SERVICE = Path(__file__).resolve().parents[3] / "service"
REDIS_PASSWORD = "redis-password-canary-5f1c"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(is_true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class Server:
    """A process on a port; `kill` and `start` keep the port."""

    def __init__(self, command: list[str], port: int, is_ready: Callable[[], bool]) -> None:
        self.command = command
        self.port = port
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._is_ready, self.command[0], 60)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def redis_server(folder: Path) -> Iterator[Server]:
    """Debian's redis-server with a password and an append-only file, so that a restart keeps the data."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    port = free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--requirepass", REDIS_PASSWORD]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir", str(folder)]

    def is_ready() -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(redis.Redis(port=port, password=REDIS_PASSWORD).ping())
        return False

    server = Server(command, port, is_ready)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def chroma_server(folder: Path, port: int | None = None) -> Iterator[Server]:
    """`chroma run` of the installed package, wherever its script lies."""
    port = port or free_port()
    program = "from chromadb.cli.cli import app; app()"
    command = [sys.executable, "-c", program, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]

    def is_ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{port}/api/v2/heartbeat").is_success
        return False

    server = Server(command, port, is_ready)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@asynccontextmanager
async def serving(app: FastAPI, port: int | None = None) -> AsyncIterator[str]:
    """`app` behind a real HTTP server in this event loop; gives its URL."""
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test runner keeps its own
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


class ChatbotProcess:
    """`python -m chatbot` as a person starts it."""

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        self.port = int(settings.get("PORT", free_port()))
        self.metrics_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHATBOT_")}
        given = {"PORT": str(self.port), "METRICS_PORT": str(self.metrics_port), **settings}
        self._environment = inherited | {f"CHATBOT_{name}": value for name, value in given.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "chatbot"], cwd=SERVICE, env=self._environment, stdout=log, stderr=log
            )
        if wait:
            wait_until(self._is_up, f"the chatbot; its log:\n{self.log.read_text()}", 120)

    def _is_up(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise AssertionError(f"the chatbot ended with {self._process.returncode}:\n{self.log.read_text()}")
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/livez").is_success
        return False

    def terminate(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 60) -> int:
        assert self._process
        return self._process.wait(seconds)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
