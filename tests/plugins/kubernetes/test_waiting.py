"""What the stand-in waits for on a real API server: pods, volumes, definitions, and that what is deleted is gone."""

import json
import threading
from uuid import uuid4

import pytest

from plugins.kubernetes.cluster import APPLY, Cluster
from plugins.kubernetes.manifests import Manifests
from plugins.protocol.provider import NotReadyError, ProviderError
from tests.plugins.kubernetes.support import Said, config_map, resource

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SERVICE = "kubernetes:core/v1:Service"
NAMESPACE = "kubernetes:core/v1:Namespace"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"


def test_delete_waits_until_the_object_is_gone_and_accepts_that_it_is(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    inputs = config_map(namespace)
    identity, outputs = manifests.create(resource(CONFIG_MAP), inputs, said.operation())
    for _ in range(2):
        manifests.delete(resource(CONFIG_MAP, identity=identity), outputs, said.operation())
        assert cluster.get(inputs) is None


def test_a_deletion_that_something_holds_names_it(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    inputs = config_map(namespace)
    inputs["metadata"]["finalizers"] = ["example.org/hold"]
    identity, outputs = manifests.create(resource(CONFIG_MAP), inputs, said.operation())
    with pytest.raises(ProviderError, match=r"still there .*finalizers .*example\.org/hold"):
        manifests.delete(resource(CONFIG_MAP, identity=identity), outputs, said.operation(timeout_seconds=1))
    freed = {**inputs, "metadata": {**inputs["metadata"], "finalizers": []}}
    cluster.apply(freed, force=False)


def test_a_whole_namespace_is_awaited(manifests: Manifests, cluster: Cluster, said: Said) -> None:
    name = f"test-{uuid4().hex[:8]}"
    identity, outputs = manifests.create(resource(NAMESPACE), {"metadata": {"name": name}}, said.operation())
    assert identity == name
    cluster.apply(config_map(name, a="1"), force=False)
    manifests.delete(resource(NAMESPACE, identity=identity), outputs, said.operation(timeout_seconds=60))
    assert cluster.get({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}) is None


def test_a_service_waits_for_a_ready_pod(manifests: Manifests, cluster: Cluster, namespace: str, said: Said) -> None:
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "web-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.1.1"], "conditions": {"ready": True}}],
        "ports": [{"port": 80}],
    }
    later = threading.Timer(1.5, lambda: cluster.apply(slice_, force=False))
    later.start()
    inputs = {
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]},
    }
    _, outputs = manifests.create(resource(SERVICE), inputs, said.operation())
    assert outputs["spec"]["clusterIP"]
    assert "Waiting for a ready pod that its selector matches" in said.status


def test_an_object_that_does_not_become_ready_is_kept_with_its_reason(
    manifests: Manifests, namespace: str, said: Said
) -> None:
    inputs = {
        "metadata": {"name": "data", "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    with pytest.raises(NotReadyError) as caught:
        manifests.create(resource(CLAIM), inputs, said.operation(timeout_seconds=1))
    assert caught.value.identity == f"{namespace}/data"
    assert caught.value.outputs["metadata"]["uid"]
    assert "PersistentVolumeClaim" in caught.value.reasons[0]
    assert "it waits for a volume" in caught.value.reasons[0]


def test_a_claim_whose_class_waits_for_its_pod_is_ready(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    lazy = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "lazy"},
        "provisioner": "example.org/none",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    cluster.apply(lazy, force=False)
    inputs = {
        "metadata": {"name": "data", "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "lazy",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    identity, _ = manifests.create(resource(CLAIM), inputs, said.operation(timeout_seconds=5))
    assert identity == f"{namespace}/data"


def test_a_pod_that_cannot_start_says_why(manifests: Manifests, cluster: Cluster, namespace: str, said: Said) -> None:
    inputs = {
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": "registry.invalid/none"}]},
    }
    waiting = {"reason": "ImagePullBackOff", "message": "no such host"}
    container = {
        "name": "c",
        "image": "x",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": waiting},
    }

    def fail() -> None:
        status = {"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Pending", "containerStatuses": [container]}}
        path = f"/api/v1/namespaces/{namespace}/pods/one/status"
        cluster.call("PATCH", path, [("fieldManager", "kubelet")], json.dumps(status), APPLY)

    threading.Timer(0.5, fail).start()
    with pytest.raises(NotReadyError, match="container c: ImagePullBackOff: no such host"):
        manifests.create(resource("kubernetes:core/v1:Pod"), inputs, said.operation(timeout_seconds=2))


def test_custom_resources_wait_for_their_definition(
    manifests: Manifests, cluster: Cluster, namespace: str, said: Said
) -> None:
    free = {"type": "object", "x_kubernetes_preserve_unknown_fields": True}
    schema = {"type": "object", "properties": {"spec": free}}
    definition = {
        "metadata": {"name": "things.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    kind = resource("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition")
    later = threading.Timer(1, lambda: manifests.create(kind, definition, Said().operation()))
    later.start()
    thing = {"metadata": {"name": "a", "namespace": namespace}, "spec": {"size": 1}}
    identity, outputs = manifests.create(resource("kubernetes:example.org/v1:Thing"), thing, said.operation())
    later.join()
    assert identity == f"{namespace}/a"
    assert outputs["spec"] == {"size": 1}
    assert any("knows no Thing" in each for each in said.status)
    misspelt = {"metadata": {"name": "b", "namespace": namespace}, "spce": {"size": 1}}
    with pytest.raises(ProviderError, match="spce"):
        manifests.create(resource("kubernetes:example.org/v1:Thing"), misspelt, said.operation())
