"""What Git may deploy of the services. Declares nothing; a test compares it with what `make render` writes."""

from infra.aipp.plan import is_argocds
from infra.config import StackConfig
from infra.delivery.project import Kind, ProjectArgs, project_name

KINDS: tuple[Kind, ...] = (
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("networking.k8s.io", "Ingress"),
    ("policy", "PodDisruptionBudget"),
)
"""Kinds of every tree."""


def project(stack_name: str) -> str:
    """Return the name of the services' project."""
    return project_name(stack_name, "aipp")


def project_args(stack: StackConfig) -> ProjectArgs:
    """Return what Argo CD is told.

    Raises:
        ValueError: the stack has no services, or names no repository.
    """
    if not (stack.aipp and stack.delivery.repository):
        raise ValueError("aihub:aipp is delivered by Argo CD, which needs delivery.repository")
    whole = is_argocds(stack)
    return ProjectArgs(
        namespace=stack.delivery.namespace,
        description="The vendor's eight services and their stores",
        repository=stack.delivery.repository,
        target_namespace=stack.aipp.namespace,
        kinds=[
            *KINDS,
            *([("external-secrets.io", "ExternalSecret")] if stack.secrets.vault else []),
            *([("networking.k8s.io", "NetworkPolicy")] if whole else []),
        ],
        owns_namespace=whole,
    )
