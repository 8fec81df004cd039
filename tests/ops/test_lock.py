"""A second command is refused while the first is at work, and let in after it, however it ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ops import paths
from ops.errors import OpsError
from ops.lock import locked
from ops.paths import CHECKOUT, StackPaths

HOLDER = """
import sys, time
from pathlib import Path
from ops import paths
paths.PRIVATE = Path(sys.argv[1])
from ops.lock import locked
with locked(paths.StackPaths("local"), "up"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    monkeypatch.setattr(paths, "PRIVATE", tmp_path)
    return StackPaths("local")


def test_second_command_is_refused_by_name_until_the_first_is_gone(stack: StackPaths, tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, cwd=CHECKOUT)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(OpsError, match=rf"make up \(process {holder.pid}\) is at work"), locked(stack, "destroy"):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with locked(stack, "destroy"):
        pass
