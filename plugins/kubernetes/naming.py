"""Names and namespaces for objects that were given none."""

import hashlib
import secrets
from typing import Any

from plugins.kubernetes.objects import CLUSTER_SCOPED, is_built_in
from plugins.protocol.provider import Properties
from plugins.protocol.values import UNKNOWN, Secret

AUTONAMED = "pulumi.com/autonamed"
"""Annotation of objects whose name was made here; the vendor's plugin uses the same."""


def is_autonamed(metadata: Any) -> bool:
    """Return whether a manifest's metadata carry the mark of a made name."""
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and annotations.get(AUTONAMED) == "true"


def with_name(inputs: Properties, old_inputs: Properties, resource_name: str, seed: bytes) -> Properties:
    """Return the inputs with a name: the given one, else the one made before, else ``<resource>-<8 hex digits>``.

    Metadata that are unknown or secret as a whole are left as they are.
    """
    metadata = inputs.get("metadata") or {}
    if metadata is UNKNOWN or isinstance(metadata, Secret) or metadata.get("name"):
        return inputs
    annotations = metadata.get("annotations") or {}
    if annotations is UNKNOWN or isinstance(annotations, Secret):
        return inputs
    old = old_inputs.get("metadata")
    if is_autonamed(old):
        name = old["name"]  # type: ignore[index]  # is_autonamed says it is a mapping
    else:
        digits = hashlib.sha256(seed + resource_name.encode()).hexdigest()[:8] if seed else secrets.token_hex(4)
        name = f"{resource_name}-{digits}"
    return {**inputs, "metadata": {**metadata, "name": name, "annotations": {**annotations, AUTONAMED: "true"}}}


def with_namespace(inputs: Properties, api_version: str, kind: str, default_namespace: str) -> Properties:
    """Return the inputs with a namespace, for kinds that are known to have one."""
    metadata = inputs.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("namespace") or kind in CLUSTER_SCOPED:
        return inputs
    if not is_built_in(api_version):
        return inputs
    return {**inputs, "metadata": {**metadata, "namespace": default_namespace}}
