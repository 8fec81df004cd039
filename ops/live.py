"""``make live``: what takes a node of its own for long, with real programs.

``wsl``: the chain from a pushed commit to a new answer. ``dev``: the vendor's eight services, wave by wave.
``local``: an upgrade from the last release, with data in it.
"""

import os
import subprocess
from pathlib import Path

from ops import machine
from ops.errors import OpsError
from ops.paths import CHECKOUT, VENV
from toolchain.ensure import ready
from toolchain.tools import ARGOCD, GITEA, LIVE, NODE

TOOLS = {"wsl": LIVE, "dev": (ARGOCD, GITEA), "local": ()}
"""Stack -> the programs that its run needs besides the node's."""
FIRST_GIB = {"wsl": 45, "dev": 30, "local": machine.UP_GIB}
"""Stack -> free disk for a first run: these programs are built from source."""
AGAIN_GIB = 15
"""Free disk for a later one: images, the builder's cache, the registry."""
MEMORY_GIB = 12


def _free_memory() -> machine.Finding:
    rows = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    gib = next(int(row[1]) for row in rows if row[0] == "MemAvailable:") / 2**20
    return machine.Finding(
        name="memory",
        ok=gib >= MEMORY_GIB,
        says=f"{gib:.0f} GiB available, {MEMORY_GIB} GiB needed",
        fix="end what holds the memory",
    )


def _no_node() -> machine.Finding:
    here = Path("/var/lib/aihub").exists()
    return machine.Finding(
        name="node",
        ok=not here,
        says="an installation is here, and this run would end with taking it away" if here else "none is here yet",
        fix="run this on another machine, or first: make destroy VOLUMES=delete",
    )


def run(stack: str) -> int:
    """Check the machine, then run the tests of ``tests/live/<stack>``; they bring everything up and take it away.

    Raises:
        OpsError: the stack has no such run, or the machine lacks something; nothing was changed.
    """
    if stack not in TOOLS:
        raise OpsError(f"there is no live run of stack {stack}", f"make live STACK={' or STACK='.join(TOOLS)}")
    first = not all(ready(tool) for tool in (*NODE, *TOOLS[stack]))
    needed = machine.disk(FIRST_GIB[stack] if first else AGAIN_GIB)
    machine.demand([machine.architecture(), machine.root(), machine.debian(), needed, _free_memory(), _no_node()])
    command = [str(VENV / "bin" / "python"), "-m", "pytest", f"tests/live/{stack}", "-m", "live", "-x", "-v"]
    environment = {**os.environ, "AIHUB_LIVE": stack}
    return subprocess.run([*command, "--timeout=3600"], cwd=CHECKOUT, env=environment, check=False).returncode
