"""All subjects together: what is to be said before ``make up``, and what of it must stop it."""

import json
import subprocess

from ops import access
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.machine import Finding
from ops.paths import CHECKOUT, VENV, StackPaths
from ops.preflight.reader import ThisMachine


def of_stack(stack: str, before_up: bool = False) -> list[Finding]:
    """Return what a stack of this checkout lacks here; runs within the environment only.

    Args:
        stack: its name.
        before_up: only what would leave pods waiting that cannot start. A name that pods do not know leaves none, and
            memory only where not even the requests fit.

    Raises:
        OpsError: its configuration is wrong.
    """
    from infra.config import ConfigError  # noqa: PLC0415 - doctor imports this file before anything is installed
    from ops.preflight import (  # noqa: PLC0415 - for the same reason
        gitlab,
        gpu,
        images,
        longhorn,
        memory,
        names,
        node_images,
        owner,
        platform,
        ports,
        sizes,
        storage,
        vault,
    )
    from ops.preflight.declared import declared  # noqa: PLC0415 - for the same reason

    try:
        whole = declared(stack)
    except ConfigError as error:
        raise OpsError(str(error), f"correct Pulumi.{stack}.yaml") from error
    cluster, found = _cluster(StackPaths(stack))
    machine = ThisMachine(cluster=cluster)
    found += [*node_images.looks(whole), *owner.looks(machine, whole), *platform.looks(machine, whole)]
    found += [*storage.looks(machine, whole), *longhorn.looks(machine, whole), *gpu.looks(machine, whole)]
    found += [*sizes.looks(machine, whole), *vault.looks(stack, whole.stack)]
    found += [*images.looks(stack, whole.stack, before_up), *gitlab.looks(stack, whole.stack)]
    if before_up:
        return [*found, *ports.looks(machine, whole), *memory.looks(machine, whole, system_mib=0)]
    return [*found, *names.looks(machine, whole), *ports.looks(machine, whole), *memory.looks(machine, whole)]


def from_outside(stack: str) -> list[Finding]:
    """Return the same from a process of the environment; for whoever may not be in it."""
    python = VENV / "bin" / "python"
    done = None
    if python.exists():
        argv = [str(python), "-m", "ops.preflight", stack, "--json"]
        done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done is None or not done.stdout:
        said = done.stderr.strip().splitlines()[-1] if done and done.stderr.strip() else "not looked for yet"
        says = f"what the stack needs beyond this: {said}"
        # In the line itself where it is no fault: a new clone has no environment yet, and doctor makes none.
        again = f"make preview STACK={stack}, then again"
        says += f" ({again})" if done is None else ""
        return [Finding(name="stack", ok=done is None, says=says, fix=again)]
    return [Finding(**each) for each in json.loads(done.stdout)]


def _cluster(paths: StackPaths) -> tuple[Kubectl | None, list[Finding]]:
    """Return the way to the stack's cluster, and which one that is; a node of our own may come only yet."""
    own_node = access.of_stack(paths).own_node
    try:
        kubectl = Kubectl.of(paths)
        return kubectl, [] if own_node else [Finding(name="cluster", ok=True, says=kubectl.address())]
    except OpsError as error:
        return None, [] if own_node else [Finding(name="cluster", ok=False, says=error.problem, fix=error.fix)]
