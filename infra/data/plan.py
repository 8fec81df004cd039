"""The data services' namespace and pods; who calls them says the room that does."""

from infra.cluster import selector
from infra.config import StackConfig
from infra.plan import Plan, Pods, Space


def plan(stack: StackConfig) -> Plan:
    """Return what Redis and Chroma take up."""
    return Plan(
        spaces={"data": Space(namespace=stack.data.namespace)},
        pods={name: Pods(space="data", labels=selector(name)) for name in ("redis", "chroma")},
    )
