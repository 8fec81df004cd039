"""One platform for all tests of this folder, brought up by the first that needs it and taken away after the last."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.paths import CHECKOUT
from tests.live.wsl.declared import LivePaths
from tests.live.wsl.platform import Platform, bring_up

NODE = Path("/var/lib/aihub")
KEEP = "AIHUB_LIVE_KEEP"
"""Set: the node is left as it is afterwards, to look at it; `python -m cluster reset` removes it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests to `make live STACK=wsl`: they take half an hour and build four programs."""
    if os.environ.get("AIHUB_LIVE") != "wsl":
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="run by: make live STACK=wsl"))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Bring it up; take everything away afterwards."""
    found = None
    try:
        found = bring_up(tmp_path_factory.mktemp("repositories"))
        found.stages.write()
        with found.jenkins.listening():
            yield found
        found.stages.write()
    finally:
        if not os.environ.get(KEEP):
            subprocess.run([sys.executable, "-m", "cluster", "reset"], cwd=CHECKOUT, check=False)
            for path in sorted(LivePaths("wsl").directory.rglob("*"), reverse=True):
                if path.name != "chain.json":
                    path.rmdir() if path.is_dir() else path.unlink()
