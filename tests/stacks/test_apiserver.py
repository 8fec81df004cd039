"""A real API server takes every object of every stack, unknown fields refused, and admits every pod.

Third-party kinds are checked where the folder CRDS_DIR has their definition, as ``<plural>.<group>.yaml``; a kind
without one is named in a skip.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient

from infra.delivery.image_updater import manifest as image_updater
from infra.gitops import declare_workload
from infra.program import deploy
from infra.recorder import SECRET
from infra.stackfile import record_stack, stack_names, stack_of
from policy.pods import pod_template
from tests.apiserver import ApiServer, missing

Kind = tuple[str, str]
"""API version and kind."""


@pytest.fixture(scope="module")
def client() -> Iterator[DynamicClient]:
    """An API server with the third-party kinds whose definitions are at hand."""
    with cluster_for(stack_names()) as connected:
        yield connected


@contextmanager
def cluster_for(stacks: Iterable[str]) -> Iterator[DynamicClient]:
    """Start an API server with the namespaces that the stacks' objects go to, and the kinds that they are of."""
    if reason := missing():
        pytest.skip(reason)
    whole = [manifest for stack in stacks for manifest in objects(stack)]
    with ApiServer() as server:
        connected = connect(str(server.kubeconfig))
        for path in sorted({path for kind in map(kind_of, whole) if (path := definition(kind))}):
            apply(connected, yaml.safe_load(path.read_text()))
        runtime = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "nvidia"}}
        apply(connected, {**runtime, "handler": "nvidia"})
        for manifest in whole:
            if manifest["kind"] == "Namespace":
                apply(connected, _nobodys(manifest))
        ours = {manifest["metadata"]["name"] for manifest in whole if manifest["kind"] == "Namespace"}
        for name in {manifest["metadata"].get("namespace", "default") for manifest in whole} - ours - {"kube-system"}:
            apply(connected, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield connect(str(server.kubeconfig))


def _nobodys(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return a namespace without the label that says whose it is: Pulumi's and Argo CD's differ in it."""
    labels = {key: value for key, value in namespace["metadata"]["labels"].items() if "managed-by" not in key}
    return {**namespace, "metadata": {**namespace["metadata"], "labels": labels}}


def connect(kubeconfig: str) -> DynamicClient:
    """Return a client that knows the kinds that the server has now."""
    return DynamicClient(new_client_from_config(kubeconfig))  # type: ignore[no-untyped-call]  # the client has no types


def kind_of(manifest: dict[str, Any]) -> Kind:
    """Return the API version and kind of an object."""
    return manifest["apiVersion"], manifest["kind"]


def is_third_party(kind: Kind) -> bool:
    """Say whether a kind is none of Kubernetes' own, whose groups have no dot or end in .k8s.io."""
    group = kind[0].rpartition("/")[0]
    return "." in group and (not group.endswith(".k8s.io") or group.startswith("gateway."))


def definition(kind: Kind) -> Path | None:
    """Return the file that defines a third-party kind; None if there is none."""
    group, name = kind[0].rpartition("/")[0], kind[1].lower()
    folder = os.environ.get("CRDS_DIR")
    plurals = (f"{name}s", f"{name}es", f"{name[:-1]}ies", name)
    paths = (Path(folder) / f"{plural}.{group}.yaml" for plural in plurals) if folder and is_third_party(kind) else ()
    return next((path for path in paths if path.is_file()), None)


def without_secrets(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded object with worthless content in place of what is secret, as its type demands."""
    is_login = manifest.get("type") == "kubernetes.io/dockerconfigjson"
    content = {".dockerconfigjson": "{}"} if is_login else {}
    return {key: content if value == SECRET else value for key, value in manifest.items()}


def apply(
    client: DynamicClient, manifest: dict[str, Any], *, dry_run: bool = False, owner: str = "tests"
) -> dict[str, Any]:
    """Apply an object as its owner would, and return it as the server has it then.

    Raises:
        ApiException: the server refuses it; unknown and doubled fields are refused too, and fields of another owner.
    """
    kind = client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
    query = [("fieldManager", owner), ("fieldValidation", "Strict"), *([("dryRun", "All")] if dry_run else [])]
    path = kind.path(name=manifest["metadata"]["name"], namespace=manifest["metadata"].get("namespace"))
    answer = client.request(
        "PATCH", path, body=manifest, query_params=query, content_type="application/apply-patch+yaml"
    )
    return dict(answer.to_dict())


def objects(stack: str) -> list[dict[str, Any]]:
    """Return the manifests of a stack, whoever delivers them; secrets empty."""
    by_identity = {
        (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]): each for each in _looked_for(stack)
    }
    for program in (deploy, declare_workload):
        recording = record_stack(program, stack)
        for each in recording.objects():
            manifest = without_secrets(each.properties)
            by_identity[each.kind, each.namespace, each.object_name] = {"apiVersion": version(each.type), **manifest}
    return list(by_identity.values())


def _looked_for(name: str) -> list[dict[str, Any]]:
    """Return what stands in Git only: what Image Updater looks for."""
    stack = stack_of(name)
    images = {"backend-chat": ["registry.local:5000/aihub/api"], "frontend-chat": ["registry.local:5000/aihub/page"]}
    return [image_updater(stack, name, images)] if stack.delivery.image_updater else []


def version(token: str) -> str:
    """Return the apiVersion of a token: ``kubernetes:core/v1:Pod`` is in ``v1``."""
    return token.split(":")[1].removeprefix("core/")


@pytest.mark.parametrize("stack", stack_names())
def test_takes_every_object(stack: str, client: DynamicClient) -> None:
    # A dry run is validated and admitted like the real thing, and leaves nothing in the way of the next stack.
    for manifest in objects(stack):
        if not is_third_party(kind_of(manifest)):
            apply(client, manifest, dry_run=True)


@pytest.mark.parametrize("stack", stack_names())
def test_takes_every_third_party_object(stack: str, client: DynamicClient) -> None:
    undefined = set()
    for manifest in objects(stack):
        kind = kind_of(manifest)
        if definition(kind):
            apply(client, manifest, dry_run=True)
        elif is_third_party(kind):
            undefined.add(" ".join(kind))
    if undefined:
        pytest.skip(f"no definition in CRDS_DIR of {', '.join(sorted(undefined))}; the other kinds were taken")


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
