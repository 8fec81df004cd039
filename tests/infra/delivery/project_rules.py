"""What an AppProject lets through, worked out from its text as Argo CD does (argo-cd.readthedocs.io, Projects)."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

CLUSTER_KINDS = frozenset(
    {"Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "PersistentVolume", "StorageClass"}
)
"""Kinds without a namespace that the tests speak of."""


def refusals(project: Mapping[str, Any], application: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield why an object of an Application is refused; nothing: it may be deployed."""
    spec, told = project["spec"], application["spec"]
    if told["project"] != project["metadata"]["name"]:
        yield f"project {told['project']} is another one"
    if not any(fnmatchcase(told["source"]["repoURL"], pattern) for pattern in spec["sourceRepos"]):
        yield "repository"
    if not _may_go(spec, told["destination"]["server"], told["destination"]["namespace"]):
        yield "destination of the Application"
    group, kind = manifest["apiVersion"].rpartition("/")[0], manifest["kind"]
    if kind in CLUSTER_KINDS:
        if not any(_matches(rule, group, kind, manifest) for rule in spec.get("clusterResourceWhitelist") or ()):
            yield f"cluster-wide {group}/{kind}"
        return
    namespaced = spec.get("namespaceResourceWhitelist")
    if namespaced is not None and not any(_matches(rule, group, kind, manifest) for rule in namespaced):
        yield f"{group}/{kind}"
    namespace = manifest["metadata"].get("namespace") or told["destination"]["namespace"]
    if not _may_go(spec, told["destination"]["server"], namespace):
        yield f"namespace {namespace}"


def _may_go(spec: Mapping[str, Any], server: str, namespace: str) -> bool:
    return any(
        fnmatchcase(server, each["server"]) and fnmatchcase(namespace, each["namespace"])
        for each in spec["destinations"]
    )


def _matches(rule: Mapping[str, str], group: str, kind: str, manifest: Mapping[str, Any]) -> bool:
    return (
        fnmatchcase(group, rule["group"])
        and fnmatchcase(kind, rule["kind"])
        and fnmatchcase(manifest["metadata"]["name"], rule.get("name", "*"))
    )
