"""Argo CD's namespace and that of Argo Rollouts, their pods, whom they call; and the rollback."""

from infra.cluster import selector
from infra.config import StackConfig
from infra.delivery.argocd import SERVER_PORT
from infra.network.address import port_of
from infra.network.login import login_of
from infra.plan import API_SERVER_PORT, INGRESS, Flow, Plan, Pods, Space, World

SPACE = "argocd"
ROLLOUTS = "rollouts"
ROLLBACK = "rollback"


def plan(stack: StackConfig) -> Plan:
    """Return what the configured parts take up; of the cluster's own Argo CD only where it is."""
    delivery = stack.delivery
    spaces: dict[str, Space] = {}
    pods: dict[str, Pods] = {}
    flows: list[Flow] = []
    if delivery.argocd:
        spaces[SPACE] = Space(namespace=delivery.namespace)
        # The whole namespace: the chart's parts talk among themselves, and Image Updater beside them to nobody else.
        pods[SPACE] = Pods(space=SPACE)
        flows += _argocd_flows(stack)
    elif delivery.repository:
        spaces[SPACE] = Space(namespace=delivery.namespace, ours=False)
    if delivery.rollouts:
        spaces[ROLLOUTS] = Space(namespace=delivery.rollouts.namespace)
        pods[ROLLOUTS] = Pods(space=ROLLOUTS)
        flows.append(_to_api_server(ROLLOUTS, "replace pods, and ask about them"))
    if delivery.rollback:
        pods[ROLLBACK] = Pods(space="chat", labels=selector(ROLLBACK))
        flows.append(_to_api_server(ROLLBACK, "see whether a rollout failed"))
        flows.append(_to_git(ROLLBACK, stack, "name the good tag again"))
    return Plan(spaces=spaces, pods=pods, flows=tuple(flows))


def _argocd_flows(stack: StackConfig) -> list[Flow]:
    delivery = stack.delivery
    flows = [
        Flow(source=SPACE, target=SPACE, port=port, reason=reason)
        for port, reason in (
            (6379, "Argo CD's parts to their cache"),
            (8081, "Argo CD's parts to what reads Git"),
            (SERVER_PORT, "Argo CD's parts to its API"),
        )
    ]
    flows.append(_to_api_server(SPACE, "compare and apply"))
    if delivery.repository:
        flows.append(_to_git(SPACE, stack, "read the tree, write tags"))
    if delivery.argocd and delivery.argocd.host:
        flows.append(Flow(source=INGRESS, target=SPACE, port=SERVER_PORT, reason="people open Argo CD"))
        if login := login_of(stack):
            flows.append(login.flow(SPACE))
    if delivery.image_updater:
        port = int(stack.registry.host.partition(":")[2] or 443)
        flows.append(Flow(source=SPACE, target=World.ANYWHERE, port=port, reason="ask the registry for new tags"))
    return flows


def _to_api_server(component: str, reason: str) -> Flow:
    return Flow(source=component, target=World.API_SERVER, port=API_SERVER_PORT, reason=reason)


def _to_git(component: str, stack: StackConfig, reason: str) -> Flow:
    """Return the call of Git, wherever it is: outside, behind the ingress controller, or in this cluster."""
    return Flow(source=component, target=World.ANYWHERE, port=port_of(stack.delivery.repository or ""), reason=reason)
