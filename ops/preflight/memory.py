"""Does what the stack reserves fit into the memory of this machine, or of the cluster's nodes?"""

from collections.abc import Mapping
from typing import Any

from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.gpu import is_wsl
from ops.preflight.reader import Machine
from ops.preflight.requests import Reserved, mib, of_stack, total_mib

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
    more = "raise memory= in .wslconfig (sudo python3 -m cluster wsl), then wsl --shutdown" if in_wsl else "add memory"
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
    parts = of_stack(declared.recording)
    if not declared.on_this_machine:
        return [_fits_nodes(machine, declared, parts)]
    meminfo = machine.read("/proc/meminfo")
    if not meminfo:
        return []
    return [fits(parts, total(meminfo), system_mib, is_wsl(machine))]


def _fits_nodes(machine: Machine, declared: Declared, parts: list[Reserved]) -> Finding:
    """Judge by what the nodes leave to pods, and what pods of other namespaces reserve of it."""
    nodes, pods = machine.kubectl("nodes"), machine.kubectl("pods", "--all-namespaces")
    if nodes is None or pods is None:
        says = f"{total_mib(parts) / 1024:.1f} GiB needed; no cluster answers yet, so its nodes cannot be looked at"
        return Finding(name="memory", ok=True, says=says)
    offered = sum(mib(node["status"]["allocatable"]["memory"]) for node in nodes["items"])
    others = [pod for pod in pods["items"] if pod["metadata"]["namespace"] not in declared.own_namespaces]
    return fits(parts, offered - sum(_reserved_mib(pod) for pod in others), 0, in_wsl=False)


def _reserved_mib(pod: Mapping[str, Any]) -> float:
    if pod["status"].get("phase") in {"Succeeded", "Failed"}:
        return 0
    requests = [container.get("resources", {}).get("requests", {}) for container in pod["spec"]["containers"]]
    return sum(mib(each.get("memory", 0)) for each in requests)
