"""What a room takes up, known before anything is declared: its namespaces, its pods, and whom they call.

The program merges the rooms' plans; namespaces, network policies and checks follow from the whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from infra.config import StackConfig
from infra.config.namespaces import fields_naming


class World(StrEnum):
    """Ends of a flow that are no pods."""

    ANYWHERE = "anywhere"
    """Any address: people through a node's port, nodes, or sites on the internet."""
    API_SERVER = "api-server"
    """The Kubernetes API, which listens on addresses of nodes: what controllers watch, and what calls webhooks."""


INGRESS = "ingress"
"""Component: the ingress controller, whoever made it."""

API_SERVER_PORT = 6443
"""Where API servers listen; policies see the port behind the Service `kubernetes`."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """One namespace."""

    namespace: str
    """Its name."""
    ours: bool = True
    """Whether Pulumi makes it, and says who may talk in it; False: somebody else does."""
    in_git: bool = False
    """Whether Argo CD makes it from Git, with what it delivers for this stack."""

    @property
    def is_this_stacks(self) -> bool:
        """Whether it is this stack's, whoever makes it; False: somebody else's, whose pods are called."""
        return self.ours or self.in_git


@dataclass(frozen=True, kw_only=True)
class Pods:
    """The pods of one component."""

    space: str
    """Key of its space."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that all of them carry; empty: every pod of the space (a chart whose parts talk among themselves)."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One allowed connection; every connection that no plan states is refused, DNS excepted."""

    source: str
    """Component, or an end in :class:`World`."""
    target: str
    """Component, or an end in :class:`World`."""
    port: int
    """TCP port of the target's pods."""
    reason: str
    """What for."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one room takes up, or the whole stack."""

    spaces: Mapping[str, Space] = field(default_factory=dict)
    """Key -> namespace; a room with one namespace uses its own name as the key."""
    pods: Mapping[str, Pods] = field(default_factory=dict)
    """Component -> its pods."""
    flows: tuple[Flow, ...] = ()
    """Who calls whom; a flow stands in the plan of the room that calls, or that answers if the caller is the world."""

    def sources_of(self, component: str) -> list[Flow]:
        """Return the flows that end at ``component``."""
        return [flow for flow in self.flows if flow.target == component]

    def targets_of(self, component: str) -> list[Flow]:
        """Return the flows that begin at ``component``."""
        return [flow for flow in self.flows if flow.source == component]


def shared_namespaces(stack: StackConfig, plan: Plan) -> list[str]:
    """Return one sentence for each namespace that two spaces would share: policies and Pod Security are a space's."""
    users: dict[str, list[str]] = {}
    for key, space in plan.spaces.items():
        users.setdefault(space.namespace, []).append(key)
    return [
        f"namespace {namespace} would hold {' and '.join(keys)}: give each one of its own "
        f"({', '.join(fields_naming(stack, namespace))})"
        for namespace, keys in users.items()
        if len(keys) > 1 and any(plan.spaces[key].is_this_stacks for key in keys)
    ]


def kubernetes_namespaces(plan: Plan) -> list[str]:
    """Return one sentence for each namespace of Kubernetes' own that the stack would make its own."""
    return [
        f"namespace {space.namespace} is Kubernetes' own, and {key} would close it for others: give it another"
        for key, space in plan.spaces.items()
        if space.is_this_stacks and (space.namespace == "default" or space.namespace.startswith("kube-"))
    ]


def merged(plans: Iterable[Plan]) -> Plan:
    """Return the whole stack's plan.

    Raises:
        ValueError: two rooms use one name, or a flow ends nowhere: a mistake of the program, not of a configuration.
    """
    whole = list(plans)
    spaces = _union([plan.spaces for plan in whole], "space")
    pods = _union([plan.pods for plan in whole], "component")
    flows = tuple(flow for plan in whole for flow in plan.flows)
    for component, its in pods.items():
        if its.space not in spaces:
            raise ValueError(f"component {component} is in space {its.space!r}, which no room declares")
    for flow in flows:
        for end in (flow.source, flow.target):
            if end not in pods and end not in set(World):
                raise ValueError(f"flow {flow.source} -> {flow.target}: no room declares {end!r}")
    return Plan(spaces=spaces, pods=pods, flows=flows)


T = TypeVar("T")


def _union(parts: Sequence[Mapping[str, T]], what: str) -> dict[str, T]:
    together: dict[str, T] = {}
    for part in parts:
        if twice := together.keys() & part.keys():
            raise ValueError(f"{what} {', '.join(sorted(twice))} is declared by two rooms")
        together |= part
    return together
