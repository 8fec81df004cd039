"""The one installation that the live tests bring up, use and take away."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.clients.chat import ChatClient
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


def make(*arguments: str, expect: int = 0, folder: Path = CHECKOUT) -> str:
    """Run ``make`` in a checkout as a person would, also from below ``make test``; return its standard output."""
    ours = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH")
    shell = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(["make", *arguments], cwd=folder, env=shell, capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"make {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    print(done.stderr)
    return done.stdout


def killed_up(step: str, seconds: float) -> None:
    """Start ``make up`` and, so long after a step began, kill it and all it started, as a power failure would."""
    with subprocess.Popen(
        ["make", "up"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as started:
        assert started.stdout
        said = ""
        while not said.startswith(f"== {step}"):
            said = started.stdout.readline()
            assert said, f"`make up` ended before its step {step}"
        time.sleep(seconds)
        assert started.poll() is None, f"`make up` ended less than {seconds} s after its step {step} began"
        os.killpg(started.pid, signal.SIGKILL)


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
