"""The namespace and pods of the room, who calls them and whom they call."""

from infra.config import StackConfig
from infra.plan import INGRESS, Flow, Plan, Pods, Space, World
from infra.tools.names import PENPOT_PORTS


def plan(stack: StackConfig) -> Plan:
    """Return what Penpot takes up; nothing where it is not asked for."""
    penpot = stack.tools.penpot
    if not penpot:
        return Plan()
    page, backend, exporter = PENPOT_PORTS
    inside = "the page's server passes requests on"
    flows = [
        Flow(source=INGRESS, target=page, port=PENPOT_PORTS[page], reason="people open it"),
        Flow(source=page, target=backend, port=PENPOT_PORTS[backend], reason=inside),
        Flow(source=page, target=exporter, port=PENPOT_PORTS[exporter], reason=inside),
        Flow(source=exporter, target=page, port=PENPOT_PORTS[page], reason="a browser opens what becomes a picture"),
        Flow(source=backend, target=World.ANYWHERE, port=penpot.database.port, reason="PostgreSQL"),
    ]
    flows += [
        Flow(source=source, target=World.ANYWHERE, port=penpot.redis.port, reason="messages between the parts")
        for source in (backend, exporter)
    ]
    return Plan(
        spaces={"tools": Space(namespace=penpot.namespace)},
        pods={name: Pods(space="tools", labels={"app.kubernetes.io/name": name}) for name in PENPOT_PORTS},
        flows=tuple(flows),
    )
