"""All subjects together: what is to be said before ``make up``, and what of it must stop it."""

import json
import os
import subprocess

from ops import access
from ops.errors import OpsError
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
    from ops.preflight import gpu, images, longhorn, memory, names, owner, ports, sizes, storage, vault  # noqa: PLC0415
    from ops.preflight.declared import declared  # noqa: PLC0415

    try:
        whole = declared(stack)
    except ConfigError as error:
        raise OpsError(str(error), f"correct Pulumi.{stack}.yaml") from error
    machine = _this_machine(stack)
    found = [*owner.looks(machine, whole), *storage.looks(machine, whole)]
    found += [*longhorn.looks(machine, whole), *gpu.looks(machine, whole)]
    found += [*sizes.looks(machine, whole), *vault.looks(stack, whole.stack)]
    found += images.looks(stack, whole.stack)
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
        return [Finding(name="stack", ok=done is None, says=says, fix=f"make preview STACK={stack}, then again")]
    return [Finding(**each) for each in json.loads(done.stdout)]


def _this_machine(stack: str) -> ThisMachine:
    """Return this machine, and the cluster of a stack where one answers."""
    reach = access.of_stack(StackPaths(stack))
    try:
        kubectl = access.kubectl()
    except OpsError:
        kubectl = None
    kubeconfig = {"KUBECONFIG": str(reach.kubeconfig)} if reach.kubeconfig else {}
    return ThisMachine(kubectl_path=kubectl, environment={**os.environ, **kubeconfig}, context=reach.context)
