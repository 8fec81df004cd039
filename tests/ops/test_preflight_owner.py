"""A stack takes over its own namespaces, and nobody else's."""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from infra import gitops
from infra.cluster import STACK
from ops import access
from ops.kubectl import Kubectl
from ops.preflight import owner
from tests.apiserver import ApiServer
from tests.ops.preflight_machine import Answers, resource, stack

PROJECT = {"app.kubernetes.io/part-of": "aihub"}


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def found(*namespaces: dict[str, Any]) -> list[tuple[str, bool]]:
    machine = Answers(cluster={"namespaces": list(namespaces)})
    return [(finding.name, finding.ok) for finding in owner.looks(machine, stack())]


@pytest.mark.parametrize(
    "labels",
    [
        {STACK: "test", **PROJECT},  # its own
        PROJECT,  # left by an `up` that was killed, or by an older version
        {STACK: "test"},  # made by a person for it
    ],
)
def test_its_own_namespaces_are_taken_over(labels: dict[str, str]) -> None:
    assert found(namespace("chat", **labels)) == [("namespaces", True)]


@pytest.mark.parametrize("labels", [{STACK: "other", **PROJECT}, {STACK: "other"}, {}])
def test_anybody_elses_are_refused(labels: dict[str, str]) -> None:
    assert found(namespace("chat", **labels), namespace("data", **PROJECT)) == [("namespace chat", False)]


def test_the_other_stack_is_named_and_so_are_both_ways_out() -> None:
    machine = Answers(cluster={"namespaces": [namespace("chat", **{STACK: "other"})]})
    (finding,) = owner.looks(machine, stack())
    assert "belongs to stack other" in finding.says
    assert "Pulumi.test.yaml" in finding.fix
    assert "kubectl label --overwrite namespace chat aihub/stack=test" in finding.fix


def test_namespaces_that_the_stack_does_not_make_are_nobodys_business() -> None:
    assert found(namespace("kube-system"), namespace("shop")) == [("namespaces", True)]


def test_a_namespace_that_stands_in_git_is_looked_at_like_the_others() -> None:
    in_git = resource("Namespace", "aipp")
    machine = Answers(cluster={"namespaces": [namespace("aipp")]})
    (finding,) = owner.looks(machine, stack(in_git))
    assert (finding.name, finding.ok) == ("namespace aipp", False)
    made = Answers(cluster={"namespaces": [namespace("aipp", **PROJECT)]})
    assert owner.looks(made, stack(in_git))[0].ok


def test_a_cluster_that_does_not_answer_is_not_judged() -> None:
    assert owner.looks(Answers(cluster=None), stack()) == []


def test_marks_are_what_looks_and_destroy_read(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$1" = get ] && echo namespace/shop\n')
    kubectl.chmod(0o755)
    there = Kubectl(program=kubectl, environment={})
    owner.mark(there, "test", {"data", "chat"})
    assert owner.others(there, "test") == {"shop"}
    label, others = (tmp_path / "calls").read_text().splitlines()
    assert label == "label --overwrite namespace chat data aihub/stack=test"
    assert others.startswith("get namespaces --selector aihub/stack,aihub/stack!=test --output name")


def test_the_services_namespace_in_git_says_whose_it_is(tmp_path: Path, api_server: ApiServer) -> None:
    """Argo CD makes it: `make up` never sees it to mark it, and another stack's `destroy` must leave it alone."""
    gitops.render("dev", tmp_path)
    (file,) = tmp_path.glob("gitops-apps/apps/aipp/k8s/base/namespace.yaml")
    (manifest,) = yaml.safe_load_all(file.read_text())
    name = manifest["metadata"]["name"] = f"aipp-{uuid4().hex[:8]}"
    environment = {**os.environ, "KUBECONFIG": str(api_server.kubeconfig)}
    kubectl = Kubectl(program=access.kubectl(), environment=environment)
    kubectl.ask("apply", "-f", "-", stdin=json.dumps(manifest))
    assert name in owner.own(kubectl, "dev")
    assert name not in owner.others(kubectl, "dev")
    assert name in owner.others(kubectl, "wsl")
    assert "belongs to stack dev" in str(owner.trouble("wsl", manifest["metadata"]["labels"]))
