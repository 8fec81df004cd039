"""The device plugin's namespace, its pods, and whom they call."""

from infra.config import StackConfig
from infra.plan import API_SERVER_PORT, Flow, Plan, Pods, Space, World

COMPONENT = "device-plugin"
"""Component, and name of the release."""


def plan(stack: StackConfig) -> Plan:
    """Return what the device plugin takes up; nothing where this stack makes no card usable."""
    if not stack.gpu.is_set_up:
        return Plan()
    # It talks to the kubelet through a socket; only the helper that watches for another sharing calls the API.
    watches = Flow(
        source=COMPONENT, target=World.API_SERVER, port=API_SERVER_PORT, reason="which sharing its node is to have"
    )
    return Plan(
        spaces={"gpu": Space(namespace=stack.gpu.namespace)},
        pods={COMPONENT: Pods(space="gpu")},
        flows=(watches,) if stack.gpu.sharing else (),
    )
