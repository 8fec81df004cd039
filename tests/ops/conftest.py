"""A real API server for the commands that ask a cluster."""

from collections.abc import Iterator

import pytest

from tests.apiserver import DELETING, ApiServer, missing


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    """One API server for all tests; each uses a namespace of its own."""
    if reason := missing():
        pytest.skip(reason)
    with ApiServer(controllers=DELETING) as server:
        yield server
