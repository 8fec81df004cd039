"""`make diff LIVE=1` asks a real API server for its dry run, and changes nothing."""

import os
import subprocess
from typing import Any
from uuid import uuid4

import pytest
import yaml

from infra.recorder import SECRET
from infra.workload import SECRETS_VERSION
from ops import access
from ops.credentials import stack_config
from ops.differences import dry_run
from ops.differences.objects import ARGOCD, PULUMI, Declared
from ops.kubectl import Kubectl
from tests.apiserver import ApiServer

REGISTRY = stack_config("dev").registry
OURS = f"{REGISTRY.host}/{REGISTRY.project}"
"""Where stack `dev` has its own images."""


def deployment(namespace: str, image: str, replicas: int, version: str = "1") -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}, "annotations": {SECRETS_VERSION: version}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


def config_map(namespace: str, colour: str, api_version: str = "v1") -> dict[str, Any]:
    metadata = {"name": "settings", "namespace": namespace}
    return {"apiVersion": api_version, "kind": "ConfigMap", "metadata": metadata, "data": {"colour": colour}}


def as_declared(content: dict[str, Any], owner: str = PULUMI) -> Declared:
    metadata = content["metadata"]
    return Declared(what=f"{content['kind']} {metadata['namespace']}/{metadata['name']}", owner=owner, content=content)


class Person:
    """Whoever has kubectl and an empty namespace."""

    def __init__(self, server: ApiServer) -> None:
        self.namespace = f"live-{uuid4().hex[:8]}"
        self._kubeconfig = str(server.kubeconfig)
        self.kubectl("create", "namespace", self.namespace)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        command = ["kubectl", "--kubeconfig", self._kubeconfig, *arguments]
        return subprocess.run(command, input=stdin, check=True, capture_output=True, text=True).stdout

    def apply(self, *manifests: dict[str, Any]) -> None:
        arguments = ("apply", "--server-side", "--field-manager=pulumi", "-f", "-")
        self.kubectl(*arguments, stdin=yaml.safe_dump_all(manifests))


@pytest.fixture
def person(api_server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setenv("KUBECONFIG", str(api_server.kubeconfig))
    return Person(api_server)


def report(*declared: Declared) -> str:
    kubectl = Kubectl(program=access.kubectl(), environment=os.environ)
    return dry_run.report(kubectl, "dev", declared)


def test_fields_that_would_change_are_shown_and_none_changes(person: Person) -> None:
    place = person.namespace
    person.apply(deployment(place, f"{OURS}/api:1234567", 2), config_map(place, "green"))
    text = report(
        as_declared(deployment(place, f"{OURS}/api@sha256:{'0' * 64}", 3, version="placeholder")),
        as_declared(config_map(place, "green"), ARGOCD),
    )
    assert "0 added, 0 removed, 1 changed, 1 the same" in text
    assert "```diff\n- spec.replicas: 2\n+ spec.replicas: 3\n```" in text, "nor images of ours nor marks of secrets"
    assert "0 not compared" in text
    assert "replicas: 2" in person.kubectl("get", "deployment", "web", "-n", place, "-o", "yaml")


def test_an_image_of_others_counts(person: Person) -> None:
    person.apply(deployment(person.namespace, "elsewhere.example/redis:7", 2))
    text = report(as_declared(deployment(person.namespace, "elsewhere.example/redis:8", 2)))
    assert "image: elsewhere.example/redis:7\n" in text


def test_what_is_not_there_is_added_even_without_its_namespace_or_kind(person: Person) -> None:
    text = report(
        as_declared(config_map(person.namespace, "green")),
        as_declared(config_map("not-made-yet", "green")),
        as_declared(config_map(person.namespace, "green", "nobody.example/v1"), ARGOCD),
    )
    assert f"- added: `ConfigMap {person.namespace}/settings` (Pulumi)" in text
    assert "- added: `ConfigMap not-made-yet/settings` (Pulumi)" in text


def test_what_holds_a_secret_is_counted_and_not_asked_about(person: Person) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": person.namespace}}
    text = report(as_declared(secret), as_declared(config_map(person.namespace, SECRET)))
    assert "0 added, 0 removed, 0 changed, 0 the same" in text
    assert "2 not compared" in text
