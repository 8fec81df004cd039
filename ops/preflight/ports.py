"""Are the node's ports free on which the stack will answer, or its own already?"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.reader import Machine

_NODE_PORT = re.compile(r"(http|https)?node_?ports?", re.IGNORECASE)
FIRST, LAST = 30000, 32767


def node_ports(value: Any, named: bool = False) -> Iterator[int]:
    """Yield the node ports in a manifest or a chart's values (``nodePort: 31302``, ``nodePorts: {http: 31302}``)."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from node_ports(each, named or bool(_NODE_PORT.fullmatch(str(key))))
    elif isinstance(value, list):
        for each in value:
            yield from node_ports(each, named)
    elif named and isinstance(value, int) and FIRST <= value <= LAST:
        yield value


def holders(services: Mapping[str, Any]) -> dict[int, tuple[str, str]]:
    """Return node port -> (namespace, name) of the Service that has it."""
    return {
        port["nodePort"]: (item["metadata"]["namespace"], item["metadata"]["name"])
        for item in services["items"]
        for port in item["spec"].get("ports", ())
        if "nodePort" in port
    }


def node_port(machine: Machine, port: int, held: Mapping[int, tuple[str, str]], declared: Declared) -> Finding:
    """Judge one port; what listens on this machine is in the way only where this machine is the node."""
    name = f"port {port}"
    if port in held:
        namespace, service = held[port]
        mine = namespace in declared.namespaces
        return Finding(
            name=name,
            ok=mine,
            says=f"held by service {namespace}/{service}" + (", which is ours" if mine else ", which is not ours"),
            fix=f"choose another port in the stack's file, or free it: kubectl -n {namespace} edit service {service}",
        )
    if not declared.on_this_machine:
        return Finding(name=name, ok=True, says="no Service has it")
    free = machine.is_free(port)
    return Finding(
        name=name,
        ok=free,
        says="free" if free else "a program on this machine listens on it and would hide the stack behind it",
        fix=f"stop what holds it: sudo ss -ltnp 'sport = :{port}'",
    )


def looks(machine: Machine, declared: Declared) -> list[Finding]:
    """Return what is to be said about the ports that a stack asks for by number."""
    wanted = sorted({port for manifest in declared.manifests() for port in node_ports(manifest)})
    if not wanted:
        return []
    held = holders(machine.kubectl("services", "--all-namespaces") or {"items": []})
    return [node_port(machine, port, held, declared) for port in wanted]
