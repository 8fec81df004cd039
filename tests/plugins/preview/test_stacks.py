"""`make preview` of every committed stack: the real engine on the whole program."""

import re
import subprocess
import sys

import pytest

from infra.program import deploy
from infra.stackfile import record_stack
from ops.paths import CHECKOUT, stacks
from tests.plugins.support import engine_missing


@pytest.mark.timeout(600)  # seconds on a machine of one's own, minutes beside the other lanes
@pytest.mark.parametrize("stack", stacks())
def test_engine_would_make_whatever_is_declared(stack: str) -> None:
    if reason := engine_missing():
        pytest.skip(reason)
    declared = record_stack(deploy, stack).resources
    done = subprocess.run(
        [sys.executable, "-m", "ops", "preview", "--stack", stack],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"\+ (\d+) to create\n", done.stdout)
    assert counted, done.stdout
    # And the stack itself.
    assert int(counted[1]) == len(declared) + 1, done.stdout
