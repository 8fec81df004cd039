"""A real API server takes every object of every stack, unknown fields refused, and admits every pod."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient

from infra.gitops import declare_workload
from infra.program import deploy
from infra.recorder import SECRET, record
from infra.stackfile import configuration, placeholder_secrets, stack_names
from policy.pods import pod_template
from tests.apiserver import ApiServer, missing

CRDS = {
    "ExternalSecret": "externalsecrets.external-secrets.io.yaml",
    "Application": "applications.argoproj.io.yaml",
}
"""Third-party kind -> file of its definition in CRDS_DIR."""


@pytest.fixture(scope="module")
def client() -> Iterator[DynamicClient]:
    """An API server with the third-party kinds whose definitions are at hand."""
    if reason := missing():
        pytest.skip(reason)
    with ApiServer() as server:
        connected = connect(str(server.kubeconfig))
        for file in CRDS.values():
            if path := _definition(file):
                apply(connected, yaml.safe_load(path.read_text()))
        runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "nvidia"}}
        apply(connected, {**runtime, "handler": "nvidia"})
        apply(connected, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
        for stack in stack_names():
            for manifest in objects(stack):
                if manifest["kind"] == "Namespace":
                    apply(connected, manifest)
        yield connect(str(server.kubeconfig))


def connect(kubeconfig: str) -> DynamicClient:
    """Return a client that knows the kinds that the server has now."""
    return DynamicClient(new_client_from_config(kubeconfig))  # type: ignore[no-untyped-call]  # the client has no types


def _definition(file: str) -> Path | None:
    path = Path(os.environ.get("CRDS_DIR", "")) / file
    return path if path.is_file() else None


def apply(client: DynamicClient, manifest: dict[str, Any], *, dry_run: bool = False) -> None:
    """Apply an object as its owner would.

    Raises:
        ApiException: the server refuses it; unknown and doubled fields are refused too.
    """
    kind = client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
    query = [("fieldManager", "tests"), ("fieldValidation", "Strict"), *([("dryRun", "All")] if dry_run else [])]
    path = kind.path(name=manifest["metadata"]["name"], namespace=manifest["metadata"].get("namespace"))
    client.request("PATCH", path, body=manifest, query_params=query, content_type="application/apply-patch+yaml")


def objects(stack: str) -> list[dict[str, Any]]:
    """Return the manifests of a stack, whoever delivers them; secrets empty."""
    by_identity: dict[tuple[str, str, str], dict[str, Any]] = {}
    for program in (deploy, declare_workload):
        recording = record(program, stack=stack, config=configuration(stack), secrets=placeholder_secrets())
        for each in recording.objects():
            manifest = {key: {} if value == SECRET else value for key, value in each.properties.items()}
            by_identity[each.kind, each.namespace, each.object_name] = {"apiVersion": _version(each.type), **manifest}
    return list(by_identity.values())


def _version(token: str) -> str:
    """Return the apiVersion of a token: ``kubernetes:core/v1:Pod`` is in ``v1``."""
    return token.split(":")[1].removeprefix("core/")


@pytest.mark.parametrize("stack", stack_names())
def test_takes_every_object(stack: str, client: DynamicClient) -> None:
    # A dry run is validated and admitted like the real thing, and leaves nothing in the way of the next stack.
    for manifest in objects(stack):
        if manifest["kind"] not in CRDS:
            apply(client, manifest, dry_run=True)


@pytest.mark.parametrize("kind", CRDS)
def test_takes_third_party_kinds(kind: str, client: DynamicClient) -> None:
    if not _definition(CRDS[kind]):
        pytest.skip(f"{kind}: set CRDS_DIR to a folder with {CRDS[kind]}")
    found = [manifest for stack in stack_names() for manifest in objects(stack) if manifest["kind"] == kind]
    assert found
    for manifest in found:
        apply(client, manifest, dry_run=True)


@pytest.mark.parametrize("stack", stack_names())
def test_admits_every_pod(stack: str, client: DynamicClient) -> None:
    """Pod Security decides about pods only when they are made, so one of each template is (and not kept)."""
    admitted = 0
    for manifest in objects(stack):
        if template := pod_template(manifest):
            apply(client, _pod(manifest, template), dry_run=True)
            admitted += 1
    assert admitted >= 4


def test_refuses_what_is_misspelt_or_not_restricted(client: DynamicClient) -> None:
    (local,) = (each for each in objects("local") if each["kind"] == "Deployment" and _name(each) == "api")
    with pytest.raises(ApiException, match="replica"):
        apply(client, {**local, "spec": {**local["spec"], "replica": 3}}, dry_run=True)
    template = pod_template(local)
    assert template
    with pytest.raises(ApiException, match=r"violates PodSecurity \S*restricted"):
        apply(client, _pod(local, {**template, "spec": {**template["spec"], "hostNetwork": True}}), dry_run=True)


def _name(manifest: dict[str, Any]) -> str:
    return str(manifest["metadata"]["name"])


def _pod(manifest: dict[str, Any], template: Any) -> dict[str, Any]:
    metadata = {**template["metadata"], "name": _name(manifest), "namespace": manifest["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
