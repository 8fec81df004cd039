"""Replacement: what the API server would not change in place, and only that."""

from typing import Any

import pytest

from plugins.kubernetes.replacement import replacing
from plugins.kubernetes.settings import Settings
from plugins.protocol.difference import differences, property_path


def _replaced(old: dict[str, Any], new: dict[str, Any], settings: Settings | None = None) -> list[str]:
    changed = [path for path, _ in differences(old, new)]
    return sorted(property_path(path) for path in replacing(changed, old, new, settings or Settings()))


def _object(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, **fields}


@pytest.mark.parametrize("field", ["name", "namespace"])
def test_another_identity_is_another_object(field: str) -> None:
    old = _object("example.org/v1", "Thing")
    new = {**old, "metadata": {**old["metadata"], field: "y"}}
    assert _replaced(old, new) == [f"metadata.{field}"]


@pytest.mark.parametrize(
    ("api_version", "kind", "field", "other"),
    [
        ("apps/v1", "StatefulSet", "serviceName", "replicas"),
        ("apps/v1", "StatefulSet", "volumeClaimTemplates", "template"),
        ("apps/v1", "StatefulSet", "podManagementPolicy", "updateStrategy"),
        ("apps/v1", "Deployment", "selector", "template"),
        ("apps/v1", "DaemonSet", "selector", "template"),
        ("batch/v1", "Job", "template", "backoffLimit"),
        ("v1", "PersistentVolumeClaim", "storageClassName", "resources"),
        ("v1", "PersistentVolumeClaim", "accessModes", "resources"),
        ("v1", "Service", "clusterIP", "type"),
    ],
)
def test_some_fields_replace_and_others_update(api_version: str, kind: str, field: str, other: str) -> None:
    old = _object(api_version, kind, spec={field: {"a": 1}, other: {"a": 1}})
    assert _replaced(old, _object(api_version, kind, spec={field: {"a": 2}, other: {"a": 1}})) == [f"spec.{field}.a"]
    assert _replaced(old, _object(api_version, kind, spec={field: {"a": 1}, other: {"a": 2}})) == []


def test_a_role_binding_keeps_its_role() -> None:
    old = _object("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={"name": "a"}, subjects=[])
    new = {**old, "roleRef": {"name": "b"}}
    assert _replaced(old, new) == ["roleRef.name"]


def test_a_storage_class_keeps_its_provisioner() -> None:
    old = _object("storage.k8s.io/v1", "StorageClass", provisioner="a", parameters={"x": "1"})
    assert _replaced(old, {**old, "provisioner": "b"}) == ["provisioner"]


@pytest.mark.parametrize(
    ("kind", "mutable"),
    [("ConfigMap", Settings(enable_config_map_mutable=True)), ("Secret", Settings(enable_secret_mutable=True))],
)
def test_data_replace_unless_the_provider_says_that_they_are_mutable(kind: str, mutable: Settings) -> None:
    old, new = _object("v1", kind, data={"a": "1"}), _object("v1", kind, data={"a": "2"})
    assert _replaced(old, new) == ["data.a"]
    assert _replaced(old, new, mutable) == []
    assert _replaced({**old, "immutable": True}, {**new, "immutable": True}, mutable) == ["data.a"]


def test_a_field_that_goes_with_the_whole_specification_counts() -> None:
    old = _object("apps/v1", "StatefulSet", spec={"serviceName": "a"})
    assert _replaced(old, _object("apps/v1", "StatefulSet")) == ["spec"]
    assert _replaced(_object("apps/v1", "StatefulSet", spec={"replicas": 1}), _object("apps/v1", "StatefulSet")) == []
