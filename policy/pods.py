"""Where the pods are in a manifest."""

from collections.abc import Iterator, Mapping
from typing import Any

Manifest = Mapping[str, Any]
"""A Kubernetes object as it goes over the wire (camelCase)."""

_TEMPLATES: Mapping[str, tuple[str | int, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Rollout": ("spec", "template"),
    "AnalysisTemplate": ("spec", "metrics", 0, "provider", "job", "spec", "template"),
}
SERVERS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Rollout"})
"""Kinds whose pods run until they are told to stop."""


def pod_template(manifest: Manifest) -> Mapping[str, Any] | None:
    """Return the pods that an object runs, as metadata and spec; None if it runs none."""
    path = _TEMPLATES.get(str(manifest.get("kind")))
    if path is None:
        return None
    found: Any = manifest
    for key in path:
        found = (found or [{}])[key] if isinstance(key, int) else found.get(key) or {}
    return dict(found)


def pod_spec(manifest: Manifest) -> Mapping[str, Any] | None:
    """Return the spec of the pods that an object runs; None if it runs none."""
    template = pod_template(manifest)
    return None if template is None else template.get("spec") or {}


def containers(manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    """Yield every container of an object's pods, the initial ones too."""
    spec = pod_spec(manifest) or {}
    for field in ("initContainers", "containers"):
        yield from spec.get(field) or ()


def describe(manifest: Manifest) -> str:
    """Return how people name the object: ``Deployment chat/api``."""
    metadata = manifest.get("metadata") or {}
    return f"{manifest.get('kind')} {metadata.get('namespace', '-')}/{metadata.get('name', '-')}"
