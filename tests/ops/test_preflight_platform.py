"""What stack `dev` expects of its cluster is looked for, piece by piece; what a stack makes itself is not."""

from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from ops.preflight import platform
from ops.preflight.declared import Declared, declared
from tests.ops.preflight_machine import Answers

Cluster = dict[str, list[dict[str, Any]]]


def named(*names: str) -> list[dict[str, Any]]:
    return [{"metadata": {"name": name}} for name in names]


def kinds(group: str, version: str, *names: str) -> list[dict[str, Any]]:
    versions = [{"name": version, "served": True}, {"name": "v1alpha0", "served": False}]
    return [{"spec": {"group": group, "names": {"kind": name}, "versions": versions}} for name in names]


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


@pytest.mark.parametrize("version", ["v1.28.15+rke2r1", "v1.9.0"])
def test_an_older_kubernetes_is_refused(version: str) -> None:
    nodes = [{"metadata": {"name": "two"}, "status": {"nodeInfo": {"kubeletVersion": version}}}, *WHOLE["nodes"]]
    found = lacking({**WHOLE, "nodes": nodes})
    assert found.keys() == {"Kubernetes version"}
    assert f"two {version}: " in found["Kubernetes version"]
    assert "watch-lock would wait for ever before 1.29" in found["Kubernetes version"]


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
