"""What every room is given: the stack's configuration, its secrets, and where its objects go."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import Input, ResourceOptions

from infra.config import Secrets, StackConfig
from infra.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Site:
    """One installation while it is being declared."""

    stack: StackConfig
    """Its configuration."""
    secrets: Secrets
    """Its secrets."""
    plan: Plan
    """Its namespaces, pods and flows."""
    namespaces: Mapping[str, Input[str]]
    """Space -> name of its namespace, known once it is there."""
    options: ResourceOptions
    """Options of every component: the connection to the cluster."""
