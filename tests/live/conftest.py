"""The one installation that the live tests bring up, use and take away."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.chat_client import ChatClient
from ops.paths import CHECKOUT, StackPaths

NODE = Path("/var/lib/aihub")


@dataclass
class Installation:
    """``make up`` on this machine."""

    output: str
    """What the last ``make up`` printed."""

    @property
    def login_url(self) -> str:
        found = re.search(r"^Chat: (\S+)", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]

    @property
    def key_file(self) -> Path:
        found = re.search(r"^API key file: (.+)$", self.output, re.MULTILINE)
        assert found, self.output
        return Path(found[1])

    @property
    def chat(self) -> ChatClient:
        return ChatClient(url=self.login_url.split("/login/")[0], api_key=self.key_file.read_text().strip())

    def up(self) -> None:
        self.output = make("up")


def make(*arguments: str, expect: int = 0) -> str:
    """Run ``make`` in the checkout as a person would, also from below ``make test``; return its standard output."""
    shell = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", *arguments], cwd=CHECKOUT, env=shell, capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"make {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    print(done.stderr)
    return done.stdout


def killed_up(seconds: float) -> None:
    """Start ``make up`` and kill it and all it started, as a power failure would."""
    started = subprocess.Popen(
        ["make", "up"], cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        started.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def by_hand(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would, after ``source``-ing the stack's environment."""
    line = f"source {StackPaths('local').environment} && {command}"
    return subprocess.run(["bash", "-c", line], cwd=CHECKOUT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Bring the stack up once for all tests of this folder; take everything away afterwards."""
    if NODE.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"{NODE} exists: an installation is here, and these tests would take it away")
    if NODE.exists():  # left by a run that was killed
        subprocess.run([sys.executable, "-m", "cluster", "reset"], cwd=CHECKOUT, check=True)
    found = Installation(output="")
    found.up()
    yield found
    if NODE.exists():
        subprocess.run(["make", "destroy", "VOLUMES=delete"], cwd=CHECKOUT, check=False)
