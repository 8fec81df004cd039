"""The registry's namespace, its pods and who calls them."""

from infra.cluster import selector
from infra.config import StackConfig
from infra.plan import Flow, Plan, Pods, Space, World


def plan(stack: StackConfig) -> Plan:
    """Return what a registry of our own takes up; nothing where the stack uses another."""
    server = stack.registry.server
    if not server:
        return Plan()
    port = int(stack.registry.host.rpartition(":")[2])
    return Plan(
        spaces={"registry": Space(namespace=server.namespace)},
        pods={"registry": Pods(space="registry", labels=selector("registry"))},
        flows=(Flow(source=World.ANYWHERE, target="registry", port=port, reason="nodes pull, builders push"),),
    )
