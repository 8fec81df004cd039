"""What the tests of the stand-ins share: a real API server, and projects for the real engine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver import DELETING, ApiServer, missing
from tests.plugins.support import Project, engine_missing


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    """One API server for all tests; each uses names or namespaces of its own."""
    if reason := missing():
        pytest.skip(reason)
    with ApiServer(controllers=DELETING) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return an empty project of the real engine, with its own state."""
    if reason := engine_missing():
        pytest.skip(reason)
    return Project(tmp_path)


@pytest.fixture(scope="session")
def _buildah() -> None:
    if shutil.which("buildah") is None:
        pytest.skip("no buildah on PATH (Debian: apt-get install buildah)")
    if os.geteuid() != 0:
        pytest.skip("buildah's storage needs root here")
