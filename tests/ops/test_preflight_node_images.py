"""Images that only our own node has are refused for another cluster, by the fields that name them."""

import pytest

from ops.preflight import node_images
from tests.ops.preflight_machine import stack

SERVER = {"image": "localhost/aihub/registry:2.8.2"}
OTHER = {"host": "registry.local:5000", "baseImage": "docker.io/library/python:3.11.14-slim-bookworm"}


def test_they_are_on_our_own_node() -> None:
    own = stack(cluster={"context": "aihub-local"})
    assert own.stack.registry.base_image.startswith(node_images.MADE_HERE)
    assert node_images.looks(own) == []


@pytest.mark.parametrize("context", ["kind-kind", None])
def test_they_are_on_no_other(context: str | None) -> None:
    registry = {"host": "registry.local:5000", "baseImage": "localhost/aihub/base:bookworm", "server": SERVER}
    (finding,) = node_images.looks(stack(cluster={"context": context}, registry=registry))
    assert not finding.ok
    assert "registry.baseImage: localhost/aihub/base:bookworm" in finding.says
    assert "registry.server.image: localhost/aihub/registry:2.8.2" in finding.says
    assert "docs/local.md" in finding.fix


def test_a_stack_with_images_of_its_own_is_fine() -> None:
    assert node_images.looks(stack(cluster={"context": "kind-kind"}, registry=OTHER)) == []
