"""An Argo CD Application: which folder of the Git repository becomes objects of which namespace."""

from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Output, ResourceOptions

from infra.cluster import labels
from infra.delivery.project import SERVER

# Many releases of External Secrets have the API server fill in fields of `spec.data[].remoteRef`, which ones depends on
# the release; Argo CD's own comparison takes each for a change. Ignored (`ignoreDifferences`) they would, together with
# RespectIgnoreDifferences, freeze the whole list: https://github.com/argoproj/argo-cd/issues/17694.
COMPARED_BY_API_SERVER = {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}
"""https://argo-cd.readthedocs.io/en/stable/user-guide/diff-strategies/"""


@dataclass(frozen=True, kw_only=True)
class ApplicationArgs:
    """What an :class:`Application` needs from its caller."""

    namespace: str
    """Argo CD's own namespace."""
    project: str
    """Name of the AppProject that says what may be deployed."""
    repository: str
    """Address of the Git repository."""
    branch: str
    """Branch that is followed."""
    path: str
    """Folder with the kustomization."""
    target_namespace: str
    """Where the objects go."""
    ignored: tuple[dict[str, Any], ...] = ()
    """Fields that others own while the object runs; neither compared nor written after the object is there."""
    external_secrets: bool = False
    """Whether its objects include ExternalSecrets."""


class Application(ComponentResource):
    """Hands a workload to Argo CD, which then owns its objects; Pulumi declares none of them."""

    application: Output[str]
    """Name of the Application."""

    def __init__(self, name: str, args: ApplicationArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:delivery:Application", name, {}, opts)
        whole = manifest(name, args)
        declared = k8s.apiextensions.CustomResource(
            f"{name}-application",
            api_version=whole["apiVersion"],
            kind=whole["kind"],
            metadata=whole["metadata"],
            spec=whole["spec"],
            opts=ResourceOptions(parent=self),
        )
        self.application = declared.metadata["name"]  # type: ignore[attr-defined]  # set at run time only
        self.register_outputs({"application": self.application})


def manifest(name: str, args: ApplicationArgs) -> dict[str, Any]:
    """Return the Application (argoproj.io/v1alpha1) as it stands in a file or at the API server."""
    ignored: dict[str, Any] = {"ignoreDifferences": list(args.ignored)} if args.ignored else {}
    compared: dict[str, Any] = {"annotations": COMPARED_BY_API_SERVER} if args.external_secrets else {}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": args.namespace, "labels": labels("delivery", name), **compared},
        "spec": {
            "project": args.project,
            "source": {"repoURL": args.repository, "targetRevision": args.branch, "path": args.path},
            "destination": {"server": SERVER, "namespace": args.target_namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": [
                    "ServerSideApply=true",
                    "PruneLast=true",
                    *(["RespectIgnoreDifferences=true"] if args.ignored else []),
                ],
                "retry": {
                    "limit": 5,
                    "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"},
                    # A commit made meanwhile may be the remedy: retries take it instead of the one that failed.
                    "refresh": True,
                },
            },
            **ignored,
        },
    }
