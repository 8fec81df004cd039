"""What somebody changes by hand is reported by name and field, by the real engine and a real API server."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ops import access, drift
from ops.kubectl import Kubectl
from ops.machine import Finding
from tests.apiserver import ApiServer
from tests.plugins.support import Project, engine_missing

PROGRAM = """
    import pulumi
    import pulumi_kubernetes as k8s

    options = pulumi.ResourceOptions(provider=k8s.Provider("cluster", upsert_existing_objects=True))
    namespace = k8s.core.v1.Namespace("rooms", metadata={"name": "NAMESPACE"}, opts=options)
    place = namespace.metadata["name"]
    for name in ("settings", "other"):
        k8s.core.v1.ConfigMap(
            name, metadata={"name": name, "namespace": place}, data={"colour": "green"}, opts=options
        )
    k8s.core.v1.Secret(
        "login",
        metadata={"name": "login", "namespace": place},
        string_data={"password": pulumi.Output.secret("canary-of-the-program")},
        opts=options,
    )
    container = {"name": "web", "image": "web:1", "resources": {"limits": {"cpu": "1000m"}}}
    k8s.apps.v1.Deployment(
        "web",
        metadata={"name": "web", "namespace": place, "annotations": {"pulumi.com/skipAwait": "true"}},
        spec={
            "replicas": 2,
            "selector": {"match_labels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
        opts=options,
    )
"""


@dataclass
class Asked:
    """The engine of a small project, asked as `ops.engine.Engine` is."""

    project: Project

    def ask(self, *arguments: str) -> str:
        told = self.project.pulumi(*arguments)
        return told[told.index("{\n") :]


class Installation:
    """A small stack that is up, and a person with kubectl."""

    def __init__(self, project: Project, server: ApiServer, namespace: str) -> None:
        self.engine, self.namespace = Asked(project), namespace
        self.kubeconfig = project.folder / "kubeconfig"
        self.kubeconfig.write_text(server.kubeconfig.read_text())
        self._kubeconfig = str(self.kubeconfig)
        project.variables = {"KUBECONFIG": self._kubeconfig}
        project.program(PROGRAM.replace("NAMESPACE", namespace))
        project.up()

    def by_hand(self, *arguments: str) -> None:
        command = ["kubectl", "--kubeconfig", self._kubeconfig, "-n", self.namespace, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def drifted(self) -> dict[str, Finding]:
        kubectl = Kubectl(program=access.kubectl(), environment={**os.environ, "KUBECONFIG": self._kubeconfig})
        found = drift.findings(self.engine, kubectl)  # type: ignore[arg-type]  # asked the same way
        return {each.name: each for each in found}


@pytest.fixture
def installation(tmp_path: Path, api_server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Installation:
    if reason := engine_missing():
        pytest.skip(reason)
    monkeypatch.setenv("KUBECONFIG", str(api_server.kubeconfig))
    return Installation(Project(tmp_path), api_server, f"drift-{uuid4().hex[:8]}")


def test_what_is_changed_by_hand_is_named_with_field_and_author(installation: Installation) -> None:
    namespace = installation.namespace
    (only,) = installation.drifted().values()
    assert only.ok
    assert "resources are as the last" in only.says

    installation.by_hand("scale", "deployment/web", "--replicas=5")
    installation.by_hand("set", "image", "deployment/web", "web=web:2")
    installation.by_hand("patch", "secret", "login", "-p", '{"stringData": {"password": "canary-by-hand"}}')
    installation.by_hand("delete", "configmap", "other")
    installation.by_hand("label", "configmap", "settings", "nobodys=declared")
    found = installation.drifted()
    assert found.keys() == {
        f"Deployment {namespace}/web",
        f"Secret {namespace}/login",
        f"ConfigMap {namespace}/other",
    }
    assert not any(each.ok for each in found.values())
    web = found[f"Deployment {namespace}/web"].says
    assert "spec.replicas: 2 -> 5" in web
    assert "spec.template.spec.containers[web].image: web:1 -> web:2" in web
    assert "cpu" not in web, "the server's spelling of a quantity is no drift"
    assert "by kubectl-set" in web
    assert found[f"ConfigMap {namespace}/other"].says == "is gone"
    assert "data.password" in found[f"Secret {namespace}/login"].says
    assert "canary" not in str(found)


def test_a_cluster_that_does_not_answer_is_no_answer(installation: Installation, api_server: ApiServer) -> None:
    """Everything would be gone, if silence were taken for an answer."""
    nobody = installation.kubeconfig.read_text().replace(api_server.url, "https://127.0.0.1:1")
    installation.kubeconfig.write_text(nobody)
    told = installation.engine.project.pulumi("refresh", "--preview-only", "--json", fails=True)
    assert "127.0.0.1:1" in told


def application(sync: str, *resources: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "backend-chat", "namespace": "argocd"},
        "status": {"sync": {"status": sync}, "resources": list(resources), **status},
    }


ENGINE = {"kind": "Deployment", "namespace": "chat", "name": "engine", "status": "OutOfSync"}


def test_an_application_names_the_objects_that_differ_from_git() -> None:
    synced = {**ENGINE, "name": "api", "status": "Synced"}
    gone = {**ENGINE, "name": "old", "requiresPruning": True}
    found = list(drift.judged(application("OutOfSync", synced, ENGINE, gone)))
    assert [(each.name, each.ok) for each in found] == [
        ("Deployment chat/engine", False),
        ("Deployment chat/old", False),
    ]
    assert "is not as Git has it" in found[0].says
    assert "no longer in Git" in found[1].says


def test_what_was_put_back_is_told() -> None:
    operation = {"operation": {"sync": {"autoHealAttemptsCount": 3}}}
    (found,) = drift.judged(application("Synced", operationState=operation))
    assert found.ok
    assert "put back, at attempt 3" in found.says


def test_an_application_that_cannot_be_compared_is_not_passed_over() -> None:
    conditions = [{"type": "ComparisonError", "message": "repository not accessible"}]
    (found,) = drift.judged(application("Unknown", conditions=conditions))
    assert not found.ok
    assert "repository not accessible" in found.says


def test_only_the_stacks_own_applications_are_asked_for() -> None:
    declared = {"kind": "Application", "metadata": {"name": "aipp", "namespace": "argocd"}}
    asked: list[tuple[str, ...]] = []

    class Cluster:
        def ask(self, *arguments: str) -> str:
            asked.append(arguments)
            return json.dumps(application("Synced"))

    steps = [{"op": "refresh", "oldState": {"custom": True, "inputs": declared}}, {"op": "refresh"}]
    found = list(drift.of_git(steps, Cluster()))  # type: ignore[arg-type]  # answers as kubectl does
    assert [each.ok for each in found] == [True]
    assert [arguments[:5] for arguments in asked] == [("get", drift.APPLICATIONS, "aipp", "-n", "argocd")]
