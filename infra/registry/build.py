"""What the machine that builds adds to a build; the only reader of these environment variables."""

import os
from collections.abc import Mapping
from pathlib import Path

from pulumi import Output, RunError

BUILD_FILES: Mapping[str, str] = {
    "pip.conf": "AIHUB_BUILD_PIP_CONF",
    "npmrc": "AIHUB_BUILD_NPMRC",
    "ca.crt": "AIHUB_BUILD_CA",
    "apt.sources": "AIHUB_BUILD_APT_SOURCES",
    "apt.conf": "AIHUB_BUILD_APT_CONF",
}
"""Build secret -> variable that names a file: where packages come from, and whom a build trusts. All optional."""


def build_secrets(environment: Mapping[str, str] = os.environ) -> dict[str, Output[str]]:
    """Return the contents of the machine's files, by build secret; they never stay in a layer.

    Raises:
        RunError: a variable names a file that cannot be read.
    """
    return {
        secret: Output.secret(_content(variable, Path(environment[variable])))
        for secret, variable in BUILD_FILES.items()
        if environment.get(variable)
    }


def _content(variable: str, path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        problem = f"{variable} names {path}, which cannot be read ({error.strerror}): correct or unset it"
        raise RunError(problem) from None
