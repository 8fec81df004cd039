"""What stack `dev` expects of its cluster is looked for, piece by piece; what a stack makes itself is not."""

from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from ops.preflight import platform
from ops.preflight.declared import Declared, declared
from ops.preflight.fields import manifests_of
from ops.preflight.versions import too_old
from tests.ops.preflight_machine import Answers, resource
from tests.ops.preflight_machine import stack as declared_stack

Cluster = dict[str, list[dict[str, Any]]]


def named(*names: str) -> list[dict[str, Any]]:
    return [{"metadata": {"name": name}} for name in names]


def kinds(group: str, version: str, *names: str) -> list[dict[str, Any]]:
    versions = [{"name": version, "served": True}, {"name": "v1alpha0", "served": False}]
    return [deepcopy({"spec": {"group": group, "names": {"kind": name}, "versions": versions}}) for name in names]


WHOLE: Cluster = {
    "namespaces": named("argocd", "external-secrets", "kube-system", "longhorn-system", "monitoring", "opentelemetry"),
    "customresourcedefinitions": [
        *kinds("argoproj.io", "v1alpha1", "Application", "AppProject"),
        *kinds("external-secrets.io", "v1", "ExternalSecret", "ClusterSecretStore"),
        *kinds("longhorn.io", "v1beta2", "RecurringJob"),
        *kinds("monitoring.coreos.com", "v1", "PodMonitor", "PrometheusRule"),
    ],
    "ingressclasses": named("nginx"),
    "clusterissuers.cert-manager.io": named("letsencrypt-dns01"),
    "runtimeclasses": named("nvidia"),
    "services": named("opentelemetry-collector"),
    "nodes": [{"metadata": {"name": "one"}, "status": {"nodeInfo": {"kubeletVersion": "v1.30.4+rke2r1"}}}],
    "storageclasses": [{"metadata": {"name": "longhorn"}, "provisioner": "driver.longhorn.io"}],
    "settings.longhorn.io": [{"metadata": {"name": "current-longhorn-version"}, "value": "v1.11.2"}],
}
"""A cluster that has everything."""


@cache
def stack(name: str) -> Declared:
    return declared(name)


def lacking(cluster: Cluster | None, name: str = "dev") -> dict[str, str]:
    """Return name of each finding that is not ok -> what it says, and the fix."""
    found = platform.looks(Answers(cluster=cluster), stack(name))
    return {each.name: f"{each.says} -> {each.fix}" for each in found if not each.ok}


def without(kind: str, name: str) -> Cluster:
    """Return the whole cluster without one object."""
    cluster = deepcopy(WHOLE)
    left = [each for each in cluster[kind] if name not in (each.get("metadata") or each["spec"]["names"]).values()]
    assert len(left) == len(cluster[kind]) - 1
    return {**cluster, kind: left}


def test_a_cluster_that_has_everything_is_said_to() -> None:
    (finding,) = platform.looks(Answers(cluster=WHOLE), stack("dev"))
    assert (finding.name, finding.ok) == (platform.NAME, True)


@pytest.mark.parametrize(
    ("kind", "name", "finding", "field"),
    [
        ("namespaces", "argocd", "namespace argocd", "delivery.namespace"),
        ("namespaces", "external-secrets", "namespace external-secrets", "vault.access.serviceAccountNamespace"),
        ("namespaces", "kube-system", "namespace kube-system", "network.ingressNamespace"),
        ("namespaces", "longhorn-system", "namespace longhorn-system", "storage.schedules.namespace"),
        ("namespaces", "monitoring", "namespace monitoring", "observability.monitors.namespace"),
        ("namespaces", "opentelemetry", "namespace opentelemetry", "monitors.collector.namespace"),
        ("customresourcedefinitions", "Application", "kind Application", "delivery.argocd"),
        ("customresourcedefinitions", "ExternalSecret", "kind ExternalSecret", "have its operator installed"),
        ("customresourcedefinitions", "PodMonitor", "kind PodMonitor", "observability.stack"),
        ("customresourcedefinitions", "RecurringJob", "kind RecurringJob", "storage.longhorn"),
        ("ingressclasses", "nginx", "IngressClass nginx", "network.ingressClass"),
        ("clusterissuers.cert-manager.io", "letsencrypt-dns01", "ClusterIssuer letsencrypt-dns01", "clusterIssuer"),
        ("runtimeclasses", "nvidia", "RuntimeClass nvidia", "runtimeClass"),
        ("services", "opentelemetry-collector", "Service opentelemetry-collector", "monitors.collector.service"),
    ],
)
def test_what_is_missing_is_named_with_its_field(kind: str, name: str, finding: str, field: str) -> None:
    found = lacking(without(kind, name))
    assert found.keys() == {finding}
    assert field in found[finding]


def test_what_is_there_in_its_place_is_named() -> None:
    found = lacking({**WHOLE, "ingressclasses": named("traefik")})
    assert "there are: traefik" in found["IngressClass nginx"]


def test_an_operator_that_is_too_old_is_to_be_raised() -> None:
    cluster = without("customresourcedefinitions", "ExternalSecret")
    cluster["customresourcedefinitions"] += kinds("external-secrets.io", "v1beta1", "ExternalSecret")
    found = lacking(cluster)
    assert "but external-secrets.io/v1beta1 ExternalSecret -> have its operator raised" in found["kind ExternalSecret"]


def schema_of(*values: Any) -> dict[str, Any]:
    """Return a schema that knows the fields of these values, and no other."""
    mappings = [each for each in values if isinstance(each, dict)]
    keys = {key for each in mappings for key in each}
    properties = {key: schema_of(*(each[key] for each in mappings if key in each)) for key in keys}
    elements = [element for each in values if isinstance(each, list) for element in each]
    return {"properties": properties} if mappings else {"items": schema_of(*elements)} if elements else {}


def knowing_all_but(kind: str, path: str) -> Cluster:
    """Return the whole cluster with definitions that say which fields they have; one field is missing."""
    cluster = deepcopy(WHOLE)
    for item in cluster["customresourcedefinitions"]:
        its = item["spec"]["names"]["kind"]
        schema = schema_of(*(dict(each) for each in manifests_of(stack("dev")) if each["kind"] == its))
        item["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": schema}
        if its == kind:
            *above, last = path.replace("[]", ".[]").split(".")
            for step in above:
                schema = schema["items"] if step == "[]" else schema["properties"][step]
            del schema["properties"][last]
    return cluster


@pytest.mark.parametrize(
    ("kind", "field", "release"),
    [
        ("Application", "spec.syncPolicy.retry.refresh", "Argo CD 3.2"),
        ("AppProject", "spec.clusterResourceWhitelist[].name", "Argo CD 3.3"),
        ("PodMonitor", "spec.podMetricsEndpoints[].portNumber", "the Prometheus operator 0.79"),
        ("ExternalSecret", "spec.target.template.engineVersion", "have its operator raised"),
    ],
)
def test_a_field_that_an_older_operator_does_not_know_is_named(kind: str, field: str, release: str) -> None:
    found = lacking(knowing_all_but(kind, field))
    assert found.keys() == {f"kind {kind}"}
    assert f"has no {field} -> have its operator raised" in found[f"kind {kind}"]
    assert release in found[f"kind {kind}"]


@pytest.mark.parametrize("version", ["v1.29.15+rke2r1", "v1.9.0"])
def test_an_older_kubernetes_is_refused(version: str) -> None:
    nodes = [{"metadata": {"name": "two"}, "status": {"nodeInfo": {"kubeletVersion": version}}}, *WHOLE["nodes"]]
    found = lacking({**WHOLE, "nodes": nodes})
    assert found.keys() == {"Kubernetes version"}
    assert f"two {version}: " in found["Kubernetes version"]
    assert "watch-lock need 1.30" in found["Kubernetes version"]


def test_whoever_waits_before_it_ends_needs_a_kubernetes_that_does() -> None:
    """1.29 knows `preStop.sleep`, and drops it: each replacement of a pod would cut answers off."""
    container = {"name": "api", "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}
    pods = resource("Deployment", "api", spec={"template": {"spec": {"containers": [container]}}})
    nodes = [{"metadata": {"name": "one"}, "status": {"nodeInfo": {"kubeletVersion": "v1.29.4"}}}]
    (found,) = too_old(Answers(cluster={"nodes": nodes}), declared_stack(pods))
    assert (found.ok, found.says) == (False, "one v1.29.4: api need 1.30")
    nodes[0]["status"]["nodeInfo"]["kubeletVersion"] = "v1.30.0"  # type: ignore[index]
    assert not [*too_old(Answers(cluster={"nodes": nodes}), declared_stack(pods))]


def test_an_older_longhorn_is_refused() -> None:
    settings = [{"metadata": {"name": "current-longhorn-version"}, "value": "v1.10.1"}]
    found = lacking({**WHOLE, "settings.longhorn.io": settings})
    assert found.keys() == {"Longhorn version"}
    assert "aipp.scheduler.exclusiveVolume" in found["Longhorn version"]


@pytest.mark.parametrize("name", ["local", "wsl"])
def test_a_stack_that_brings_its_own_parts_expects_none(name: str) -> None:
    assert lacking({"namespaces": named("kube-system")}, name) == {}


def test_without_a_cluster_nothing_is_looked_for() -> None:
    assert lacking(None) == {}


@pytest.mark.parametrize(("mode", "lacks"), [(None, True), ("nodes", False)])
def test_cilium_must_count_nodes_among_addresses(mode: str | None, lacks: bool) -> None:
    data = {"enable-policy": "default"} | ({"policy-cidr-match-mode": mode} if mode else {})
    config = {"metadata": {"name": "cilium-config"}, "data": data}
    found = lacking({**WHOLE, "configmaps": [config]}, "wsl")
    assert ("policyCIDRMatchMode" in found.get("Cilium", "")) is lacks
