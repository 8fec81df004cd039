"""The first seconds on a bare machine: only the standard library is here yet."""

import os
import sys
from pathlib import Path

from ops.paths import CHECKOUT, VENV
from toolchain import pypi


def enter_environment() -> None:
    """Go on in ``.venv``, made from the pinned requirements; returns only inside it."""
    python = pypi.virtual_environment(VENV, CHECKOUT / "requirements-dev.txt")
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    os.chdir(CHECKOUT)
    os.execv(str(python), [str(python), "-m", "ops", *sys.argv[1:]])  # noqa: S606 - our own interpreter
