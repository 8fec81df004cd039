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
def _buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Buildah with a storage of its own: in the machine's, another lane of `make test` builds at the same time.

    A build there looks at all images for layers that it could take, and stops at one that these tests remove meanwhile.
    """
    if shutil.which("buildah") is None:
        pytest.skip("no buildah on PATH (Debian: apt-get install buildah)")
    if os.geteuid() != 0:
        pytest.skip("buildah's storage needs root here")
    folder = tmp_path_factory.mktemp("buildah")
    # Plain folders: an overlay file system cannot always lie on whatever carries the temporary folder.
    settings = f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/run"\n'
    (folder / "storage.conf").write_text(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
        yield
