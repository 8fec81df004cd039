"""One cluster for all tests of this folder, brought up by the first that needs it and taken away after the last."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.paths import CHECKOUT
from tests.live.dev.platform import Platform, bring_up

KEEP = "AIHUB_LIVE_KEEP"
"""Set: the node is left as it is afterwards, to look at it; `python -m cluster reset` removes it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests to `make live STACK=dev`: they take a quarter of an hour and build two programs."""
    if os.environ.get("AIHUB_LIVE") != "dev":
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="run by: make live STACK=dev"))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Bring it up; take everything away afterwards."""
    try:
        found = bring_up(tmp_path_factory.mktemp("dev"))
        with found.operators.looking():
            yield found
    finally:
        if not os.environ.get(KEEP):
            subprocess.run([sys.executable, "-m", "cluster", "reset"], cwd=CHECKOUT, check=False)
