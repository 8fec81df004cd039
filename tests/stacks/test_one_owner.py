"""What Argo CD applies and what Pulumi applies: the API server, which keeps account of it, sees no object of both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from infra.gitops import render
from infra.program import deploy
from infra.stackfile import configuration, record_stack, stack_names
from tests.stacks.test_apiserver import (
    apply,
    cluster_for,
    definition,
    is_third_party,
    kind_of,
    version,
    without_secrets,
)

ARGOCD, PULUMI = "argocd-controller", "pulumi-kubernetes"
STACKS = [stack for stack in stack_names() if configuration(stack)["aihub:chat"].get("delivery") == "argocd"]


@pytest.fixture(scope="module", params=STACKS)
def owned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster, what Argo CD applies to it, and what Pulumi does."""
    stack, directory = request.param, tmp_path_factory.mktemp("tree")
    render(stack, directory)
    with cluster_for([stack]) as client:
        yield client, known(delivered(directory)), known(declared(stack))


def delivered(directory: Path) -> list[dict[str, Any]]:
    files = [path for path in directory.glob("*/apps/*/k8s/base/*.yaml") if path.name != "kustomization.yaml"]
    return [manifest for path in sorted(files) for manifest in yaml.safe_load_all(path.read_text())]


def declared(stack: str) -> list[dict[str, Any]]:
    recording = record_stack(deploy, stack)
    return [{"apiVersion": version(each.type)} | without_secrets(each.properties) for each in recording.objects()]


def known(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the objects of kinds that the server can be told of."""
    return [each for each in manifests if not is_third_party(kind_of(each)) or definition(kind_of(each))]


def managers(stored: dict[str, Any]) -> set[str]:
    return {entry["manager"] for entry in stored["metadata"]["managedFields"]} - {"tests"}


def test_neither_takes_anything_from_the_other(owned: tuple[DynamicClient, Any, Any]) -> None:
    client, argocd, pulumi = owned
    assert len(argocd) > 8
    for _ in range(2):  # a second sync and a second `up` after it, in which each meets what the other has written
        for owner, manifests in ((ARGOCD, argocd), (PULUMI, pulumi)):
            for manifest in manifests:
                # Never by force: a field of another owner is a conflict, and the server refuses it.
                assert managers(apply(client, manifest, owner=owner)) == {owner}, manifest["metadata"]["name"]


def test_a_second_owner_would_be_seen(owned: tuple[DynamicClient, Any, Any]) -> None:
    client, argocd, _ = owned
    (account, *_) = (each for each in argocd if each["kind"] == "ServiceAccount")
    apply(client, account, owner=ARGOCD)
    assert managers(apply(client, account, owner=PULUMI, dry_run=True)) == {ARGOCD, PULUMI}
    other = {**account, "automountServiceAccountToken": True}
    with pytest.raises(ApiException, match="conflict"):
        apply(client, other, owner=PULUMI, dry_run=True)
