"""One command at a time, even when the other one dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import NodeError
from cluster.lock import locked

HOLDER = """
import sys, time
from pathlib import Path
from cluster.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_command_is_refused_by_the_number_of_the_first_and_let_in_when_that_dies(tmp_path: Path):
    lock = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(NodeError, match=f"process {holder.pid}"), locked(lock):
            pytest.fail("let in")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with locked(lock):
        assert lock.read_text() == str(os.getpid())
    assert lock.read_text() == ""


def test_a_process_started_under_the_lock_does_not_hold_it_on(tmp_path: Path):
    lock = tmp_path / "lock"
    with locked(lock):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with locked(lock):
            pass
    finally:
        child.kill()
        child.wait()
