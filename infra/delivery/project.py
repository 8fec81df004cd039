"""An Argo CD AppProject: from which repository, into which namespace, and which kinds Git may deploy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Output, ResourceOptions

from infra.cluster import PROJECT, labels

SERVER = "https://kubernetes.default.svc"
"""Argo CD's name for the cluster that it runs in."""

Kind = tuple[str, str]
"""API group (empty: the core one) and kind."""


@dataclass(frozen=True, kw_only=True)
class ProjectArgs:
    """What a :class:`Project` needs from its caller."""

    namespace: str
    """Argo CD's own namespace."""
    description: str
    """What it is for, for people at Argo CD's page."""
    repository: str
    """The only repository."""
    target_namespace: str
    """The only namespace."""
    kinds: Sequence[Kind]
    """The only namespaced kinds."""
    owns_namespace: bool = False
    """Whether the namespace itself stands in Git: then it may be made, and what Git does not name in it is shown."""


class Project(ComponentResource):
    """What is not listed is refused by Argo CD, whatever rights it has at the cluster itself."""

    project: Output[str]
    """Name of the AppProject, for Applications."""

    def __init__(self, name: str, args: ProjectArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:delivery:Project", name, {}, opts)
        whole = manifest(name, args)
        declared = k8s.apiextensions.CustomResource(
            f"{name}-project",
            api_version=whole["apiVersion"],
            kind=whole["kind"],
            metadata=whole["metadata"],
            spec=whole["spec"],
            opts=ResourceOptions(parent=self),
        )
        self.project = declared.metadata["name"]  # type: ignore[attr-defined]  # set at run time only
        self.register_outputs({"project": self.project})


def project_name(stack_name: str, part: str) -> str:
    """Return the name of a stack's project: an Argo CD may serve several stacks."""
    return f"{PROJECT}-{stack_name}-{part}"


def manifest(name: str, args: ProjectArgs) -> dict[str, Any]:
    """Return the AppProject (argoproj.io/v1alpha1) as it stands in a file or at the API server."""
    spec: dict[str, Any] = {
        "description": args.description,
        "sourceRepos": [args.repository],
        "destinations": [{"server": SERVER, "namespace": args.target_namespace}],
        # Empty is none; a list that is absent would be everything for namespaced kinds, and nothing for the others.
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(args.kinds)],
    }
    if args.owns_namespace:
        # By name: a Namespace of any other could be made with rights that ours do not have.
        spec["clusterResourceWhitelist"] = [{"group": "", "kind": "Namespace", "name": args.target_namespace}]
        # Made there by others: what External Secrets and cert-manager write.
        spec["orphanedResources"] = {"warn": True, "ignore": [{"group": "", "kind": "Secret"}]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": args.namespace, "labels": labels("delivery", name)},
        "spec": spec,
    }
