"""The table of who calls whom, and the policies that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.config import StackConfig


class World(StrEnum):
    """Ends of a flow that are no component of ours."""

    ANYWHERE = "anywhere"
    """Any address: people through a node's port, or sites on the internet."""
    INGRESS = "ingress"
    """Pods of the ingress controller."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One allowed connection; every connection that is not in the table is refused, DNS excepted."""

    source: str
    """Component, or an end in :class:`World`."""
    target: str
    """Component, or :attr:`World.ANYWHERE`."""
    port: int
    """TCP port of the target's pods."""
    reason: str
    """What for."""


def flows(stack: StackConfig) -> tuple[Flow, ...]:
    """Return every flow of a stack."""
    entrance = World.INGRESS if stack.chat.exposure.host else World.ANYWHERE
    table = [
        Flow(source=entrance, target="api", port=8000, reason="people open the page"),
        Flow(source="api", target="engine", port=8000, reason="the api has answers and embeddings computed"),
        Flow(source="api", target="redis", port=6379, reason="conversations"),
        Flow(source="api", target="chroma", port=8000, reason="documents"),
    ]
    if stack.chat.model:
        table.append(Flow(source="model-download", target=World.ANYWHERE, port=443, reason="fetch the model"))
    if stack.registry.server:
        port = int(stack.registry.host.rpartition(":")[2])
        table.append(Flow(source=World.ANYWHERE, target="registry", port=port, reason="nodes pull, builders push"))
    return tuple(table)


def components(stack: StackConfig) -> dict[str, str]:
    """Return component -> room, for each component that has pods."""
    rooms = {"redis": "data", "chroma": "data", "api": "chat", "engine": "chat"}
    if stack.chat.model:
        rooms["model-download"] = "chat"
    if stack.registry.server:
        rooms |= {"registry": "registry"}
    return rooms


def sources_of(component: str, table: Sequence[Flow]) -> list[Flow]:
    """Return the flows that end at ``component``."""
    return [flow for flow in table if flow.target == component]


def targets_of(component: str, table: Sequence[Flow]) -> list[Flow]:
    """Return the flows that begin at ``component``."""
    return [flow for flow in table if flow.source == component]
