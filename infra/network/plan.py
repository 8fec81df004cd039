"""Where the ingress controller's pods are."""

from infra.config import StackConfig
from infra.plan import INGRESS, Plan, Pods, Space


def plan(stack: StackConfig) -> Plan:
    """Return the controller's place: somebody else's namespace, of which every pod may call what is exposed."""
    return Plan(
        spaces={INGRESS: Space(namespace=stack.network.ingress_namespace, ours=False)},
        pods={INGRESS: Pods(space=INGRESS)},
    )
