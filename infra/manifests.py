"""A recorded object as it stands in a file that Argo CD applies."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from infra.recorder import SECRET, Recorded
from infra.workload import SECRETS_VERSION

ARGOCD = "argocd.argoproj.io"
SYNC_WAVES = {
    "ExternalSecret": 0,
    "ServiceAccount": 0,
    "ConfigMap": 0,
    "AnalysisTemplate": 0,
    # With its first reader: where volumes are made for one (WaitForFirstConsumer), it is not healthy before.
    "PersistentVolumeClaim": 1,
    "Job": 1,
    "Service": 2,
    "PodDisruptionBudget": 2,
    "CronJob": 2,
    "Deployment": 3,
    "Ingress": 3,
    "Rollout": 3,
}
"""Kind -> wave: what pods read comes first, then the model, then the pods, then people.

Argo CD waits for each wave but the last. There stand the servers, which may take long to load or to prove themselves,
while the commit that undoes them must not wait; and an Ingress, which is never healthy where no controller publishes an
address, and whose certificate a server may need.
"""

KIND_ANNOTATIONS: dict[str, dict[str, str]] = {
    # Weights took hours to fetch: they go when a person deletes them.
    "PersistentVolumeClaim": {f"{ARGOCD}/sync-options": "Prune=false,Delete=false"},
    # With a namespace goes everything in it, claims included.
    "Namespace": {f"{ARGOCD}/sync-options": "Prune=false,Delete=false"},
    # A Job cannot be changed, only replaced.
    "Job": {f"{ARGOCD}/hook": "Sync", f"{ARGOCD}/hook-delete-policy": "BeforeHookCreation"},
}


class RenderError(Exception):
    """The tree cannot be written; the message names the object."""


def as_manifest(resource: Recorded, versioned_elsewhere: Iterable[str], *, wave: int | None = None) -> dict[str, Any]:
    """Return an object as Argo CD gets it.

    Args:
        resource: the recorded object.
        versioned_elsewhere: image repositories whose tag and digest an overlay gives.
        wave: its wave, where its room has waves of its own; None: its kind's.

    Raises:
        RenderError: it is a Secret or carries one, or its kind has no wave yet.
    """
    what = f"{resource.kind} {resource.namespace}/{resource.object_name}"
    if resource.kind == "Secret" or _holds_secret(resource.properties):
        raise RenderError(f"{what} carries a secret, which must not stand in Git: mount it from a Secret by name")
    if wave is None and resource.kind not in SYNC_WAVES:
        raise RenderError(f"{what}: infra/manifests.py gives this kind no sync wave yet; add it to SYNC_WAVES")
    whole: dict[str, Any] = _rewritten(resource.properties, tuple(versioned_elsewhere))
    whole["metadata"].setdefault("annotations", {}).update(
        {
            f"{ARGOCD}/sync-wave": str(SYNC_WAVES[resource.kind] if wave is None else wave),
            **KIND_ANNOTATIONS.get(resource.kind, {}),
        }
    )
    return whole


def documents(manifests: Iterable[dict[str, Any]]) -> str:
    """Return manifests as one YAML file; the same ones always give the same bytes."""
    return yaml.dump_all(manifests, Dumper=_Dumper, sort_keys=True, explicit_start=True, width=120)


def images_in(value: Any) -> Iterator[str]:
    """Yield every image that an object's pods run, wherever the pods are in it."""
    match value:
        case dict():
            for key, each in value.items():
                if key == "image" and isinstance(each, str):
                    yield each
                else:
                    yield from images_in(each)
        case list():
            for each in value:
                yield from images_in(each)


def _holds_secret(value: Any) -> bool:
    match value:
        case dict():
            return any(_holds_secret(each) for each in value.values())
        case list():
            return any(_holds_secret(each) for each in value)
        case _:
            return bool(value == SECRET)


def _rewritten(value: Any, ours: tuple[str, ...]) -> Any:
    """Return a copy in which Argo CD is the owner and nothing speaks to Pulumi or depends on a secret's value."""
    match value:
        case dict():
            kept = {
                key: _rewritten(each, ours)
                for key, each in value.items()
                if key != SECRETS_VERSION and not key.startswith("pulumi.com/")
            }
            if "app.kubernetes.io/managed-by" in kept:
                kept["app.kubernetes.io/managed-by"] = "argocd"
            image = kept.get("image")
            if isinstance(image, str):
                kept["image"] = next((name for name in ours if image.startswith((f"{name}:", f"{name}@"))), image)
            return {key: each for key, each in kept.items() if key != "annotations" or each}
        case list():
            return [_rewritten(each, ours) for each in value]
        case _:
            return value


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, so that a diff of it can be read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
