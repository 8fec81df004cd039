"""Namespaces carry the Pod Security level of their room, and outlive the stack with the volumes in them."""

from infra.cluster import POD_SECURITY_EXCEPTIONS, Namespaces, NamespacesArgs, provider
from infra.recorder import record
from tests.infra.support import of_kind


def test_only_listed_rooms_are_not_restricted() -> None:
    args = NamespacesArgs(names={"data": "aihub-data", "registry": "registry"})
    recording = record(lambda: Namespaces("namespaces", args), stack="test")
    levels = {
        namespace.object_name: namespace.properties["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for namespace in of_kind(recording, "Namespace")
    }
    assert levels == {"aihub-data": "restricted", "registry": "privileged"}
    assert set(POD_SECURITY_EXCEPTIONS) == {"registry", "builds", "gpu", "node-exporter", "storage"}
    assert all(POD_SECURITY_EXCEPTIONS.values())
    assert all(namespace.retained for namespace in of_kind(recording, "Namespace"))


def test_provider_takes_over_what_destroy_left_and_names_no_context_by_itself() -> None:
    (named,) = record(lambda: provider("aihub-local"), stack="test").resources
    assert named.properties == {"context": "aihub-local", "upsertExistingObjects": "true"}
    (unnamed,) = record(lambda: provider(None), stack="test").resources
    assert "context" not in unnamed.properties
