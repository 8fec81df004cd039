"""What Git may deploy: everything that `make render` writes, and nothing else."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import yaml

from infra.config import parse
from infra.gitops import declare_workload, tree
from infra.program import deploy
from infra.recorder import record
from infra.stackfile import configuration, placeholder_secrets, record_stack, stack_names
from tests.infra.delivery.project_rules import CLUSTER_KINDS, refusals
from tests.infra.delivery.test_room import waits_for
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind

Manifest = dict[str, Any]
STACKS = [stack for stack in stack_names() if "repository" in configuration(stack).get("aihub:delivery", {})]
FILES = ("vault-and-argocd", "delivery-of-our-own", "blue-green-from-vault")


@cache
def rendered(name: str) -> dict[str, str]:
    """Return path -> text of the tree of a stack, or of a file among the valid ones."""
    ours = name in stack_names()
    config = configuration(name) if ours else config_file(CONFIGS / "valid" / f"{name}.yaml")
    stack = parse(config)
    secrets = placeholder_secrets() if ours else CANARIES
    return tree(name, stack, record(declare_workload, stack=name, config=config, secrets=secrets))


def bootstrap(name: str, kind: str) -> dict[str, Manifest]:
    """Return name -> object of what Argo CD is told: ``AppProject`` or ``Application``."""
    files = [yaml.safe_load(text) for path, text in rendered(name).items() if "/bootstrap/" in path]
    return {each["metadata"]["name"]: each for each in files if each["kind"] == kind}


def delivered(name: str) -> list[tuple[Manifest, Manifest, Manifest]]:
    """Return (project, Application, object) for every object of the tree."""
    projects, found = bootstrap(name, "AppProject"), []
    for application in bootstrap(name, "Application").values():
        base = application["spec"]["source"]["path"].partition("/overlays/")[0] + "/base/"
        for path, text in rendered(name).items():
            if path.startswith(base) and not path.endswith("/kustomization.yaml"):
                project = projects[application["spec"]["project"]]
                found += [(project, application, each) for each in yaml.safe_load_all(text)]
    return found


@pytest.mark.parametrize("name", [*STACKS, *FILES])
def test_everything_that_render_writes_may_be_deployed(name: str) -> None:
    found = delivered(name)
    assert {application["metadata"]["name"] for _, application, _ in found} == set(bootstrap(name, "Application"))
    assert [
        (each["kind"], [*refusals(project, app, each)])
        for project, app, each in found
        if [*refusals(project, app, each)]
    ] == []


@pytest.mark.parametrize("name", [*STACKS, *FILES])
def test_no_kind_is_allowed_that_render_does_not_write(name: str) -> None:
    written: dict[str, set[tuple[str, str]]] = {}
    for project, _, each in delivered(name):
        kind = (each["apiVersion"].rpartition("/")[0], each["kind"])
        written.setdefault(project["metadata"]["name"], set()).add(kind)
    for project in bootstrap(name, "AppProject").values():
        spec = project["spec"]
        allowed = [*spec["clusterResourceWhitelist"], *spec["namespaceResourceWhitelist"]]
        assert {(each["group"], each["kind"]) for each in allowed} == written[project["metadata"]["name"]]


def an_object(api_version: str, kind: str, name: str = "some", namespace: str | None = None) -> Manifest:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize(
    "manifest",
    [
        an_object("v1", "Secret"),
        an_object("v1", "Pod"),
        an_object("apps/v1", "DaemonSet"),
        an_object("rbac.authorization.k8s.io/v1", "Role"),
        an_object("rbac.authorization.k8s.io/v1", "RoleBinding"),
        an_object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
        an_object("v1", "Namespace", name="kube-system"),
        an_object("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        an_object("argoproj.io/v1alpha1", "Application"),
        an_object("argoproj.io/v1alpha1", "AppProject", name="default"),
        an_object("apps/v1", "Deployment", namespace="argocd"),
        an_object("v1", "ConfigMap", namespace="kube-system"),
        an_object("networking.k8s.io/v1", "Ingress", namespace="ingress"),
    ],
    ids=lambda manifest: f"{manifest['kind']}-{manifest['metadata'].get('namespace', manifest['metadata']['name'])}",
)
def test_what_git_has_no_business_with_is_refused(name: str, manifest: Manifest) -> None:
    projects = bootstrap(name, "AppProject")
    for application in bootstrap(name, "Application").values():
        assert [*refusals(projects[application["spec"]["project"]], application, manifest)], application["metadata"]


def with_source(application: Mapping[str, Any], url: str) -> Manifest:
    source = {**application["spec"]["source"], "repoURL": url}
    return {**application, "spec": {**application["spec"], "source": source}}


@pytest.mark.parametrize("name", STACKS)
def test_another_repository_is_refused(name: str) -> None:
    for project, application, each in delivered(name):
        assert "repository" in refusals(project, with_source(application, "https://git.example.com/a.git"), each)


@pytest.mark.parametrize("name", STACKS)
def test_nothing_is_a_pattern_and_nothing_is_of_the_default_project(name: str) -> None:
    assert "*" not in str([each["spec"] for each in bootstrap(name, "AppProject").values()])
    assert {each["spec"]["project"] for each in bootstrap(name, "Application").values()} == set(
        bootstrap(name, "AppProject")
    )


def test_a_namespace_of_git_is_the_only_thing_without_one() -> None:
    allowed = {
        name: [(each["kind"], each["name"]) for each in project["spec"]["clusterResourceWhitelist"]]
        for stack in STACKS
        for name, project in bootstrap(stack, "AppProject").items()
    }
    assert allowed.pop("aihub-dev-aipp") == [("Namespace", "aipp")]
    assert set(map(tuple, allowed.values())) == {()}
    assert "Namespace" in CLUSTER_KINDS


@pytest.mark.parametrize("name", STACKS)
def test_pulumi_declares_each_project_before_its_applications(name: str) -> None:
    recording = record_stack(deploy, name)
    projects = {each.object_name: each for each in of_kind(recording, "AppProject")}
    assert {each: found.properties for each, found in projects.items()} == bootstrap(name, "AppProject")
    for application in of_kind(recording, "Application"):
        assert waits_for(recording, application, f"{application.properties['spec']['project']}-project")
    if [each for each in recording.resources if each.name == "argocd-release"]:
        assert all(waits_for(recording, project, "argocd-release") for project in projects.values())
