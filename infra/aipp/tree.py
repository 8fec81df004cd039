"""The services as files that Argo CD follows: which file an object stands in, and in which wave it comes."""

from collections.abc import Iterable
from typing import Any

from infra.aipp.names import EXPORTERS, FIELDS, STORES
from infra.aipp.plan import ENTRANCE_WAVE, WAVES, is_argocds
from infra.aipp.project import project
from infra.cluster import STACK
from infra.config import StackConfig
from infra.delivery.application import ApplicationArgs
from infra.manifests import RenderError, as_manifest, documents
from infra.recorder import Recorded, Recording

APPLICATION = "aipp"
"""Argo CD's Application, and the folder of its tree."""

FILE_OF_KIND = {
    "Namespace": "namespace",
    "NetworkPolicy": "networkpolicies",
    "ConfigMap": "configmaps",
    "ExternalSecret": "secrets",
    "Ingress": "ingress",
}
"""Kind -> file of all its objects; every other object stands in its service's."""


def folder(stack: StackConfig) -> str:
    """Return the folder of the services in the Git repository."""
    return f"{stack.delivery.path}/apps/{APPLICATION}/k8s"


def package(stack: StackConfig) -> str:
    """Return the folder beside it where the vendor's own Compose files lie; Argo CD does not look there."""
    return f"{stack.delivery.path}/apps/{APPLICATION}/package"


def application_args(stack: StackConfig, stack_name: str) -> ApplicationArgs:
    """Return what Argo CD is told.

    Raises:
        ValueError: the stack has no services, or names no repository.
    """
    if not (stack.aipp and stack.delivery.repository):
        raise ValueError("aihub:aipp is delivered by Argo CD, which needs delivery.repository")
    return ApplicationArgs(
        namespace=stack.delivery.namespace,
        project=project(stack_name),
        repository=stack.delivery.repository,
        branch=stack.delivery.branch,
        path=f"{folder(stack)}/overlays/{stack_name}",
        target_namespace=stack.aipp.namespace,
        external_secrets=stack.secrets.vault is not None,
    )


def service_of(resource: Recorded) -> str:
    """Return whose an object is.

    Raises:
        RenderError: nobody's that `plan.py` knows.
    """
    labels: dict[str, str] = resource.properties.get("metadata", {}).get("labels", {})
    name = labels.get("app.kubernetes.io/name", "")
    if name not in WAVES and name not in EXPORTERS:
        raise RenderError(
            f"{resource.kind} {resource.object_name}: no service of infra/aipp/plan.py is called {name!r}"
        )
    return name


def wave_of(resource: Recorded) -> int:
    """Return when Argo CD applies an object; it waits until everything before is healthy."""
    if resource.kind == "Ingress":
        return ENTRANCE_WAVE
    # What pods read and run as comes first; a claim comes with its pod: before, nothing makes its volume.
    if resource.kind in FILE_OF_KIND or resource.kind == "ServiceAccount":
        return 0
    # An exporter comes last: nobody waits for it.
    return WAVES.get(service_of(resource), max(WAVES.values()))


def base(stack: StackConfig, stack_name: str, recording: Recording) -> dict[str, str]:
    """Return file -> text, in the tree's own order; the versions of images are the stack file's, and stand here.

    Raises:
        RenderError: an object would carry a secret, or belongs to no service.
    """
    files: dict[str, list[Recorded]] = {}
    for resource in _objects(stack, recording):
        files.setdefault(FILE_OF_KIND.get(resource.kind) or service_of(resource), []).append(resource)
    ordered = [name for name in (*FILE_OF_KIND.values(), *STORES, *FIELDS, *EXPORTERS) if name in files]
    return {f"{name}.yaml": documents(_manifest(resource, stack_name) for resource in files[name]) for name in ordered}


def _manifest(resource: Recorded, stack_name: str) -> dict[str, Any]:
    """Return an object as it stands in Git; the namespace says whose it is, as `make up` writes it on Pulumi's."""
    whole = as_manifest(resource, (), wave=wave_of(resource))
    if resource.kind == "Namespace":
        whole["metadata"]["labels"][STACK] = stack_name
    return whole


def _objects(stack: StackConfig, recording: Recording) -> Iterable[Recorded]:
    """Return what Argo CD owns of the services' namespace: all of it but what Pulumi keeps."""
    namespace = stack.aipp.namespace if stack.aipp else ""
    kept = {"Secret"} if is_argocds(stack) else {"Secret", "Namespace", "NetworkPolicy"}
    for resource in recording.objects():
        inside = resource.namespace == namespace or (resource.kind, resource.object_name) == ("Namespace", namespace)
        if inside and resource.kind not in kept:
            yield resource
