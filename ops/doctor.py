"""``make doctor``: what this machine has, what it lacks, and what the other commands will use."""

from cluster import preflight as node_preflight
from cluster import settings as node_settings
from ops import access, machine
from ops.paths import CHECKOUT, StackPaths
from ops.preflight import run as preflight
from toolchain.ensure import on_path, ready, too_old_on_path
from toolchain.tools import ENGINE, HELM, NODE, Tool


def _tool(tool: Tool) -> machine.Finding:
    place = ready(tool)
    if place is None:
        says = f"{tool.version} will be downloaded, or built in about {tool.build_minutes} min"
    else:
        says = f"{tool.version} in {place}" if on_path(tool) is None else f"from PATH: {place}"
    if why := too_old_on_path(tool):
        says += f"; not from PATH: {why}"
    return machine.Finding(name=tool.name, ok=True, says=says)


def _own_machine() -> list[machine.Finding]:
    """Return what keeps a node from this machine; one that is here holds its own ports."""
    if node_settings.load().state.exists():
        return []
    problems = [
        *node_preflight.release(),
        *node_preflight.ports(),
        *node_preflight.kernel(),
        *node_preflight.routes(),
    ]
    if problems:
        return [machine.Finding(name="node", ok=False, says=each.what, fix=each.fix) for each in problems]
    return [machine.Finding(name="node", ok=True, says="its ports, kernel modules and addresses are free")]


def findings(paths: StackPaths) -> list[machine.Finding]:
    """Return everything worth knowing before ``make up``; quick, changes nothing."""
    own_node = not paths.declared_config.exists() or _own_node(paths)
    whole = all(ready(tool) for tool in NODE)
    return [
        machine.python(),
        *([machine.architecture(), machine.root(), machine.debian()] if own_node else []),
        machine.disk(machine.AGAIN_GIB if whole else machine.UP_GIB),
        *([machine.systemd(), machine.gpu(), *_own_machine()] if own_node else []),
        *(machine.certificates(node_settings.load()) if own_node else []),
        *[_tool(tool) for tool in (*NODE, *ENGINE, HELM)],
        *preflight.from_outside(paths.stack),
    ]


def _own_node(paths: StackPaths) -> bool:
    """Read the context without a YAML library: doctor runs before anything is installed."""
    lines = paths.declared_config.read_text().splitlines()
    return any(line.split("#")[0].strip() == f"context: {access.NODE_CONTEXT}" for line in lines)


def run(paths: StackPaths) -> int:
    """Print the findings; 1 where something is missing."""
    print(f"stack {paths.stack} from {CHECKOUT}")
    found = findings(paths)
    for finding in found:
        print(f"  {'ok  ' if finding.ok else 'LACK'}  {finding.name:<14} {finding.says}")
        if not finding.ok:
            print(f"        {'':<14} -> {finding.fix}")
    return 0 if all(finding.ok for finding in found) else 1
