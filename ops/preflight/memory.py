"""Does what the stack reserves fit into this machine's memory?"""

from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.gpu import is_wsl
from ops.preflight.reader import Machine
from ops.preflight.requests import Reserved, of_stack, total_mib

SYSTEM_MIB = 1536
"""What stays for systemd, containerd, etcd and the control plane."""
KERNEL_MIB = 512
"""What the kernel keeps to itself of a machine's memory, and MemTotal no longer shows."""
LARGEST = 3


def total(meminfo: str) -> float:
    """Return the memory in the text of ``/proc/meminfo``, in MiB."""
    return next(int(line.split()[1]) for line in meminfo.splitlines() if line.startswith("MemTotal:")) / 1024


def fits(parts: list[Reserved], has_mib: float, system_mib: int, in_wsl: bool) -> Finding:
    """Judge a sum of requests."""
    needed = total_mib(parts) + system_mib
    largest = sorted((part for part in parts if part.memory_mib), key=lambda part: -(part.memory_mib or 0))[:LARGEST]
    unstated = sum(not part.is_stated for part in parts)
    more = "raise memory= in .wslconfig (python -m cluster wsl), then wsl --shutdown" if in_wsl else "add memory"
    says = f"{needed / 1024:.1f} GiB needed, {has_mib / 1024:.1f} GiB there"
    return Finding(
        name="memory",
        ok=needed <= has_mib,
        says=says + (f"; {unstated} charts state nothing" if unstated else ""),
        fix=f"{more}, or lower the largest: "
        + ", ".join(f"{part.part} {(part.memory_mib or 0) / 1024:.1f} GiB" for part in largest),
    )


def looks(machine: Machine, declared: Declared, system_mib: int = SYSTEM_MIB) -> list[Finding]:
    """Return what is to be said about memory."""
    meminfo = machine.read("/proc/meminfo")
    if not meminfo:
        return []
    return [fits(of_stack(declared.recording), total(meminfo), system_mib, is_wsl(machine))]
