"""A real API server as the stand-in sees it, and a namespace of its own for each test."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from plugins.kubernetes.access import Access
from plugins.kubernetes.cluster import Cluster
from plugins.kubernetes.manifests import Manifests
from plugins.kubernetes.settings import Settings
from tests.apiserver import ApiServer
from tests.plugins.kubernetes.support import Said


@pytest.fixture
def access(api_server: ApiServer) -> Access:
    return Access(Settings(kubeconfig=str(api_server.kubeconfig)))


@pytest.fixture
def cluster(access: Access) -> Cluster:
    return access.cluster()


@pytest.fixture
def manifests(access: Access) -> Manifests:
    return Manifests(access)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"test-{uuid4().hex[:8]}"
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.apply(made, force=False)
    yield name
    cluster.delete(made, "Background")
