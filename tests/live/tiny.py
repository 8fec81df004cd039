"""A model small enough to be made on the spot, and the server that a stack fetches it from."""

import contextlib
import hashlib
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from cluster.settings import NODE_ADDRESS
from ops.paths import CHECKOUT, SERVICE_VENV, StackPaths

FOUR_PIXELS = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR42mP8z8DEwAAABQ0BA6UiEhkAAAAASUVORK5CYII="
"""A white PNG, in base64."""
MAKE = """
import pathlib, sys
from tests.service.chatbot.tiny_seeing import make_tiny_llava
make_tiny_llava(pathlib.Path(sys.argv[1]))
"""


def tiny_model_that_sees(folder: Path) -> dict[str, str]:
    """Make a random LLaVA in ``folder``; return its files with their SHA-256."""
    subprocess.run([str(SERVICE_VENV / "bin" / "python"), "-c", MAKE, str(folder)], cwd=CHECKOUT, check=True)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve ``folder`` where pods reach this machine; gives the address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer((NODE_ADDRESS, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{NODE_ADDRESS}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def configure(section: str, **fields: Any) -> None:
    """Set fields of the running stack; the next command of ``make`` writes the committed ones again."""
    path = StackPaths("local").config
    whole = yaml.safe_load(path.read_text())
    whole["config"].setdefault(f"aihub:{section}", {}).update(fields)
    path.write_text(yaml.safe_dump(whole, sort_keys=False))
