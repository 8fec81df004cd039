"""``make chat``: the service alone, in one process, with embedded stores; no cluster, no root."""

import hashlib
import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from ops import documents, machine
from ops.clients.chat import ChatClient
from ops.credentials import load_or_make, write_private
from ops.errors import OpsError
from ops.lock import locked
from ops.paths import CHECKOUT, SERVICE, SERVICE_VENV, StackPaths
from ops.progress import Progress
from toolchain import pypi
from toolchain.cache import cache_root

HOST = "127.0.0.1"
START_SECONDS = 180
MODEL_SECONDS = 3600
"""How long a start with a model may take: one that is named on the hub is fetched first."""
WEB = SERVICE / "web"


def build_page(say: Progress) -> None:
    """Build the page with PyPI's Node.js, when its sources are newer than the last build."""
    sources = [p for p in (WEB / "src").rglob("*") if p.is_file()]
    sources += [WEB / "package-lock.json", WEB / "index.html", *WEB.glob("*.config.ts")]
    built = WEB / "dist" / "index.html"
    if built.exists() and built.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return
    node = pypi.node()
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
        say.say(" ".join(command))
        done = subprocess.run(command, cwd=WEB, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OpsError(f"{' '.join(command)} failed in service/web:\n{done.stderr[-800:]}", "see its message")


def free_port(wanted: int) -> int:
    """Return ``wanted`` if it is free on loopback, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
            except OSError:
                continue
    raise OpsError("no port is free on loopback", "close some programs")


def settings(paths: StackPaths, api_key: str, port: int, model: str = "") -> dict[str, str]:
    """Return the service's environment: both roles, stores below ``.aihub/chat``; ``model`` is a folder or a hub id."""
    folder = Path(model).expanduser()
    hashes = paths.directory / "api-key.sha256"
    write_private(hashes, hashlib.sha256(api_key.encode()).hexdigest() + "\n")
    return {
        "CHATBOT_ROLE": "all",
        "CHATBOT_HOST": HOST,
        "CHATBOT_PORT": str(port),
        "CHATBOT_METRICS_PORT": str(free_port(9090)),
        "CHATBOT_DATA_DIR": str(paths.directory / "data"),
        "CHATBOT_API_KEY_SHA256_FILE": str(hashes),
        "CHATBOT_WEB_DIR": str(WEB / "dist"),
        **{key: value for key, value in os.environ.items() if key.startswith("CHATBOT_")},
        # The service runs in a folder of its own.
        **({"CHATBOT_MODEL": str(folder.resolve()) if folder.exists() else model} if model else {}),
    }


def _wait(url: str, process: subprocess.Popen[bytes], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise OpsError(f"the service ended with status {process.returncode}", "its message stands above")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):  # noqa: S310 - our own URL
                return
        except OSError:
            time.sleep(0.5)
    process.terminate()
    raise OpsError(f"the service did not become ready within {seconds} s", "see what it printed above")


def run(wanted_port: int = 8000, model: str = "") -> int:
    """Install, build, start, load the first documents, print the link; stop with Ctrl-C.

    Raises:
        OpsError: a step failed.
    """
    paths = StackPaths("chat")
    needed_gib = machine.AGAIN_GIB if SERVICE_VENV.exists() else machine.PYTORCH_GIB
    machine.demand([machine.disk(needed_gib, CHECKOUT, cache_root())])
    progress = Progress("make chat")
    with locked(paths, "chat"):
        with progress.step("Python environment", "PyTorch and its libraries: about 3 GB the first time"):
            python = pypi.virtual_environment(SERVICE_VENV, SERVICE / "requirements-dev.txt")
        with progress.step("The page"):
            build_page(progress)
        credentials = load_or_make(paths)
        port = free_port(wanted_port)
        environment = {**os.environ, **settings(paths, credentials.api_key, port, model), "PYTHONPATH": str(SERVICE)}
        chat = ChatClient(url=f"http://{HOST}:{port}", api_key=credentials.api_key)
        paths.url.write_text(chat.url)
        process = subprocess.Popen([str(python), "-m", "chatbot"], cwd=SERVICE, env=environment)
        try:
            with progress.step("The service", "until it is ready"):
                _wait(chat.url, process, MODEL_SECONDS if model else START_SECONDS)
            with progress.step("Documents"):
                documents.load(chat, documents.own(), progress.say)
            print(progress.table())
            print(f"Chat: {chat.login_url()}   (signs in once, within 15 minutes; stop with Ctrl-C)")
            print(f"API key file: {paths.api_key}", flush=True)
            return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            process.terminate()
            process.wait(timeout=60)
