"""The account that looks for what somebody changed by hand, of a pod of Jenkins' or of a CI elsewhere.

It reads everywhere, and no Secret.
"""

from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

from infra.ci.agents import DRIFT
from infra.cluster import PROJECT, labels
from infra.workload import service_account

API_GROUP = "rbac.authorization.k8s.io"
CORE = (
    "configmaps",
    "limitranges",
    "namespaces",
    "persistentvolumeclaims",
    "resourcequotas",
    "serviceaccounts",
    "services",
)
"""What a stack declares of the core group; Secrets are not among it."""
GROUPS = (
    "apps",
    "batch",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    API_GROUP,
    "storage.k8s.io",
    "argoproj.io",
    "argocd-image-updater.argoproj.io",
    "cert-manager.io",
    "external-secrets.io",
    "longhorn.io",
    "monitoring.coreos.com",
)
"""Groups of the other kinds; none of them holds a secret's value."""
RULES: tuple[PolicyRuleArgsDict, ...] = (
    {"api_groups": [""], "resources": [*CORE], "verbs": ["get"]},
    {"api_groups": [*GROUPS], "resources": ["*"], "verbs": ["get"]},
)


@dataclass(frozen=True, kw_only=True)
class DriftReaderArgs:
    """What a :class:`DriftReader` needs from its caller."""

    namespace: Input[str]
    """Namespace of the account."""


class DriftReader(ComponentResource):
    """An account that may read each object of the stack by its name, and do nothing else."""

    account: Output[str]
    """Name of the ServiceAccount."""

    def __init__(self, name: str, args: DriftReaderArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:ci:DriftReader", name, {}, opts)
        child, its_labels, role = ResourceOptions(parent=self), labels("ci", DRIFT), f"{PROJECT}-{name}"
        self.account = service_account(name, args.namespace, its_labels, None, self)
        k8s.rbac.v1.ClusterRole(
            f"{name}-cluster-role", metadata={"name": role, "labels": its_labels}, rules=[*RULES], opts=child
        )
        k8s.rbac.v1.ClusterRoleBinding(
            f"{name}-cluster-binding",
            metadata={"name": role, "labels": its_labels},
            role_ref={"api_group": API_GROUP, "kind": "ClusterRole", "name": role},
            subjects=[{"kind": "ServiceAccount", "name": self.account, "namespace": args.namespace}],
            opts=child,
        )
        self.register_outputs({"account": self.account})
