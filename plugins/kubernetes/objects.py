"""Manifests: from a resource's inputs to what the API server gets, and back."""

import base64
from typing import Any

from plugins.kubernetes.cluster import Manifest
from plugins.protocol.provider import Properties, ProviderError
from plugins.protocol.values import UNKNOWN, Secret, conceal, has_unknown, reveal, secret_texts

CLUSTER_SCOPED = frozenset(
    (
        *("APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding"),
        *("CustomResourceDefinition", "FlowSchema", "IngressClass", "MutatingWebhookConfiguration", "Namespace"),
        *("Node", "PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "RuntimeClass", "StorageClass"),
        *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration"),
        "VolumeAttachment",
    )
)
"""Kinds of Kubernetes itself that have no namespace; known here so that a preview needs no API server."""
_BUILT_IN_GROUPS = frozenset(
    (
        "",
        *("apps", "autoscaling", "batch", "policy", "admissionregistration.k8s.io", "apiextensions.k8s.io"),
        *("apiregistration.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io"),
        *("flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io"),
        *("scheduling.k8s.io", "storage.k8s.io"),
    )
)
_SERVER_SET = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")


def group_of(api_version: str) -> str:
    """Return the group part of an apiVersion; empty for the core group."""
    return api_version.rpartition("/")[0]


def is_built_in(api_version: str) -> bool:
    """Return whether the kind's group is Kubernetes' own, so that ``CLUSTER_SCOPED`` answers for it."""
    return group_of(api_version) in _BUILT_IN_GROUPS


def type_of(token: str) -> tuple[str, str]:
    """Return apiVersion and kind of a type token such as ``kubernetes:apps/v1:Deployment``.

    Raises:
        ProviderError: a type of the vendor's plugin that is no Kubernetes object.
    """
    _, group_version, kind = token.split(":")
    group, _, version = group_version.rpartition("/")
    if not group or kind.endswith(("Patch", "List")) or group in ("yaml", "kustomize", "helm.sh"):
        raise ProviderError(f"{token} is not part of this stand-in; it needs the vendor's plugin")
    return (version if group == "core" else group_version), kind


def manifest_of(inputs: Properties, token: str) -> Manifest:
    """Return the manifest that a resource's inputs stand for, without marks.

    ``stringData`` becomes ``data``: the API server does the same, but would never remove a key that is dropped from it.
    """
    api_version, kind = type_of(token)
    manifest: Manifest = {"apiVersion": api_version, "kind": kind, **_without_nulls(reveal(inputs))}
    if manifest["kind"] == "Secret" and isinstance(manifest.get("stringData"), dict):
        data = manifest.setdefault("data", {})
        for key, text in manifest.pop("stringData").items():
            data[key] = base64.b64encode(text.encode()).decode() if isinstance(text, str) else text
    if manifest["kind"] == "CustomResourceDefinition":
        # Property names in Python cannot hold a dash; the SDK sends these with underscores.
        manifest["spec"] = _dashed(manifest["spec"])
    return manifest


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _dashed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key.replace("_", "-") if key.startswith("x_kubernetes_") else key: _dashed(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_dashed(item) for item in value]
    return value


def identity_of(live: Manifest) -> str:
    """Return a resource's id: ``namespace/name``, or the name alone."""
    metadata = live["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def named(token: str, identity: str) -> Manifest:
    """Return a manifest that only names the object with the given id."""
    api_version, kind = type_of(token)
    namespace, _, name = identity.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def title(manifest: Manifest) -> str:
    """Return how messages call an object: ``Deployment chat/api``."""
    return f"{manifest['kind']} {identity_of(manifest)}"


def outputs_of(live: Manifest, inputs: Properties) -> Properties:
    """Return a live object as the resource's outputs: secret where the inputs were, and a Secret's data always."""
    shown = {**live, "metadata": {key: item for key, item in live["metadata"].items() if key != "managedFields"}}
    outputs: Properties = conceal(shown, inputs, secret_texts(inputs))
    if live["kind"] == "Secret" and "data" in outputs:
        outputs["data"] = Secret(reveal(outputs["data"]))
    return outputs


def planned_outputs(inputs: Properties, token: str) -> Properties:
    """Return what a preview shows for an object that is not there yet; its status is left out, that is unknown."""
    planned = manifest_of(inputs, token)
    if isinstance(planned.get("metadata"), dict):
        planned["metadata"] = {"uid": UNKNOWN, "resourceVersion": UNKNOWN, **planned["metadata"]}
    if planned["kind"] == "Service" and isinstance(planned.get("spec"), dict):
        planned["spec"] = {"clusterIP": UNKNOWN, "clusterIPs": UNKNOWN, **planned["spec"]}
    return outputs_of(planned, inputs)


def planned_changes(old_inputs: Properties, old_outputs: Properties, new: Properties, token: str) -> Properties:
    """Return what a preview shows for a changed object: the new inputs, and what the server had filled in."""
    filled = _filled(reveal(old_outputs), manifest_of(old_inputs, token), manifest_of(new, token))
    return outputs_of({key: item for key, item in filled.items() if key != "status"}, new)


def _filled(before: Any, given: Any, new: Any) -> Any:
    if not (isinstance(before, dict) and isinstance(given, dict) and isinstance(new, dict)):
        return new
    kept = {key: item for key, item in before.items() if key not in given and key not in new}
    return kept | {key: _filled(before.get(key), given.get(key), item) for key, item in new.items()}


def drifted_inputs(inputs: Properties, outputs: Properties, live: Manifest, token: str) -> Properties:
    """Return the inputs as they would have to be to describe the live object.

    A field that still has the value the API server gave it after the last ``up`` keeps the program's own spelling
    (``1000m`` for what the server calls ``1``); one that differs takes the live value; one that is gone is left out.
    """
    given = manifest_of(inputs, token)
    found: Properties = _drift(given, reveal(outputs), live)
    if found == given:
        return inputs
    marked: Properties = conceal(found, inputs, secret_texts(inputs))
    if live["kind"] == "Secret" and "data" in marked:
        marked["data"] = Secret(reveal(marked["data"]))
    return marked


def _drift(given: Any, before: Any, live: Any) -> Any:
    if live == before:
        return given
    if isinstance(given, dict) and isinstance(live, dict):
        earlier = before if isinstance(before, dict) else {}
        return {key: _drift(item, earlier.get(key), live[key]) for key, item in given.items() if key in live}
    if isinstance(given, list) and isinstance(live, list) and len(given) == len(live):
        befores = before if isinstance(before, list) and len(before) == len(live) else [None] * len(live)
        return [_drift(*each) for each in zip(given, befores, live, strict=True)]
    return live


def imported_inputs(live: Manifest) -> Properties:
    """Return inputs for an object that no program described so far."""
    metadata = {key: item for key, item in live["metadata"].items() if key not in _SERVER_SET}
    inputs = {key: item for key, item in live.items() if key != "status"} | {"metadata": metadata}
    if live["kind"] == "Secret" and "data" in inputs:
        inputs["data"] = Secret(inputs["data"])
    return inputs


def annotation(manifest: Manifest, name: str) -> str:
    """Return an annotation's text; empty when it is absent or not yet known."""
    metadata = manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(name) if isinstance(annotations, dict) else None
    return "" if value is None or has_unknown(value) else str(value)
