"""Upgrades never exchange a volume: the real engine, our Volume component, a real API server, and a claim's own UID."""

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ops.paths import CHECKOUT
from tests.apiserver import ApiServer
from tests.plugins.support import Project, engine_missing

PROGRAM = """
    import pulumi
    import pulumi_kubernetes as k8s
    from pulumi import Alias, ComponentResource, ResourceOptions

    from infra.storage.volume import Volume, VolumeArgs


    class Store(ComponentResource):
        def __init__(self, opts):
            super().__init__("@TYPE@", "@NAME@", {}, opts)
            args = VolumeArgs(namespace="@NAMESPACE@", labels={}, storage_class="@CLASS@", storage_gib=@SIZE@)
            Volume("redis-data", args, ResourceOptions(parent=self))


    provider = k8s.Provider("cluster", upsert_existing_objects=True)
    Store(ResourceOptions(provider=provider, aliases=@ALIASES@))
"""
RELEASED = {"TYPE": "aihub:data:Redis", "NAME": "redis", "CLASS": "grows", "SIZE": "2", "ALIASES": "[]"}
MOVED = {**RELEASED, "TYPE": "aihub:chat:History", "NAME": "history"}
ALIASED = {**MOVED, "ALIASES": '[Alias(name="redis", type_="aihub:data:Redis")]'}


class Installation:
    """A stack with one volume that holds data, as the last release made it."""

    def __init__(self, project: Project, server: ApiServer) -> None:
        self.project, self._kubeconfig = project, str(server.kubeconfig)
        self.namespace = f"volumes-{uuid4().hex[:8]}"
        project.variables = {"KUBECONFIG": self._kubeconfig, "PYTHONPATH": str(CHECKOUT)}
        self.kubectl("create", "namespace", self.namespace)
        self.declare(RELEASED)
        project.up()

    def declare(self, values: dict[str, str]) -> None:
        text = PROGRAM
        for key, value in {**values, "NAMESPACE": self.namespace}.items():
            text = text.replace(f"@{key}@", value)
        self.project.program(text)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        command = ["kubectl", "--kubeconfig", self._kubeconfig, *arguments]
        return subprocess.run(command, input=stdin, check=True, capture_output=True, text=True).stdout

    def claim(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("-n", self.namespace, "get", "pvc", "redis-data", "-o", "json"))
        return found

    def bind(self) -> None:
        """Do what a provisioner and its controller do: only what is bound can grow."""
        grows = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "grows"}}
        grows |= {"provisioner": "tests.invalid/none", "allowVolumeExpansion": True}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(grows))
        self.kubectl(
            *("-n", self.namespace, "patch", "pvc", "redis-data", "--subresource=status", "--type=merge"),
            *("-p", json.dumps({"status": {"phase": "Bound", "capacity": {"storage": "2Gi"}}})),
        )


@pytest.fixture
def installation(tmp_path: Path, api_server: ApiServer) -> Installation:
    if reason := engine_missing():
        pytest.skip(reason)
    return Installation(Project(tmp_path), api_server)


def test_a_component_that_is_renamed_and_moved_keeps_its_claim(installation: Installation) -> None:
    before = installation.claim()["metadata"]["uid"]
    installation.declare(ALIASED)
    said = installation.project.pulumi("preview", "--diff")
    assert "replace" not in said
    assert "delete" not in said
    installation.project.up()
    assert installation.claim()["metadata"]["uid"] == before
    installation.project.up("--expect-no-changes")


def test_even_without_an_alias_no_data_are_lost(installation: Installation) -> None:
    """The claim outlives its old place in the state, and its new place takes it over; the alias saves the detour."""
    before = installation.claim()["metadata"]["uid"]
    installation.declare(MOVED)
    installation.project.up()
    assert installation.claim()["metadata"]["uid"] == before


def test_growing_is_one_number_and_the_same_claim(installation: Installation) -> None:
    installation.bind()
    before = installation.claim()["metadata"]["uid"]
    installation.declare({**RELEASED, "SIZE": "5"})
    assert "replace" not in installation.project.pulumi("preview", "--diff")
    installation.project.up()
    after = installation.claim()
    assert after["metadata"]["uid"] == before
    assert after["spec"]["resources"]["requests"]["storage"] == "5Gi"


def test_another_class_is_refused_and_the_data_stay(installation: Installation) -> None:
    """A claim cannot change its class: what would be a new, empty claim in its place is an error instead."""
    before = installation.claim()["metadata"]["uid"]
    installation.declare({**RELEASED, "CLASS": "other"})
    said = installation.project.up(fails=True)
    assert "redis-data" in said
    assert installation.claim()["metadata"]["uid"] == before
