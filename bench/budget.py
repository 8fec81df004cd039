"""What a whole stack reserves, by part and in sum, against the memory that its machine gives it.

Usage: python -m bench.budget [STACK]; without a stack: `wsl`, against what `.wslconfig` gives its virtual machine.
"""

import sys

from bench.report import table, write
from cluster.wsl.settings import MEMORY_GIB
from ops.preflight.declared import declared
from ops.preflight.memory import KERNEL_MIB, SYSTEM_MIB
from ops.preflight.requests import Reserved, of_stack, total_mib, total_millicores


def figure(value: float | None) -> str:
    """Return a number without decimals, or that it is not stated."""
    return "not stated" if value is None else f"{value:.0f}"


def rows(parts: list[Reserved]) -> list[list[str]]:
    """Return one row per part, by room; what runs now and then says so."""
    return [
        [
            part.room,
            part.part + (" (now and then)" if part.passing else ""),
            str(part.replicas),
            figure(part.memory_mib),
            figure(part.cpu_millicores),
        ]
        for part in parts
    ]


def by_room(parts: list[Reserved]) -> list[list[str]]:
    """Return one row per room."""
    rooms = {room: [part for part in parts if part.room == room] for room in sorted({part.room for part in parts})}
    return [[room, f"{total_mib(its):.0f}", f"{total_millicores(its):.0f}"] for room, its in rooms.items()]


def verdict(parts: list[Reserved], build_mib: int = 0) -> list[str]:
    """Return the sum, what is left of the budget, and whether a build fits into that.

    Args:
        parts: what everything reserves.
        build_mib: memory of a builder, which has a pod for as long as it builds; 0: nothing is built in pods.
    """
    reserved, budget = total_mib(parts), MEMORY_GIB * 1024
    unstated = [part.part for part in parts if not part.is_stated]
    system = KERNEL_MIB + SYSTEM_MIB
    left = budget - system - reserved
    lines = [
        f"Reserved all the time: **{reserved / 1024:.1f} GiB** of memory, the model server included, and "
        f"**{total_millicores(parts) / 1000:.1f}** processors.",
        "",
        f"Budget: {MEMORY_GIB} GiB for the virtual machine (`memory=` in `.wslconfig`; not the PC's 32), of which "
        f"{system / 1024:.0f} GiB are kept for the kernel, systemd, containerd, etcd and the control plane. "
        f"**{abs(left) / 1024:.1f} GiB {'are left' if left >= 0 else 'too much'}**, for builds and whatever else runs "
        "now and then.",
    ]
    if build_mib:
        fits = (
            "fits into that" if build_mib <= left else "**does not fit into that: it waits, or the node overcommits**"
        )
        lines += [
            "",
            f"A build reserves at least {build_mib / 1024:.1f} GiB while it runs (`ci.builder`), which {fits}.",
        ]
    return [*lines, "", f"Not stated, and so not in the sum: {', '.join(unstated)}."] if unstated else lines


def report(parts: list[Reserved], build_mib: int = 0) -> list[str]:
    """Return the whole text."""
    head = ["room", "part", "replicas", "memory MiB", "CPU millicores"]
    return [
        *verdict(parts, build_mib),
        *["", "## By room", "", *table(["room", "memory MiB", "CPU millicores"], by_room(parts))],
        *["", "## By part", "", *table(head, rows(parts)), ""],
        "Workloads of this program: from their manifests, all replicas. Charts: from the values that they are given, "
        "every `requests` times the replicas beside it. What runs now and then is not in the sums.",
    ]


def main() -> None:
    """Write the budget of a stack."""
    stack = sys.argv[1] if len(sys.argv) > 1 else "wsl"
    whole = declared(stack)
    builder = whole.stack.ci.builder
    lines = report(of_stack(whole.recording), builder.memory_mib if builder else 0)
    write("budget", f"What stack `{stack}` reserves", "python -m bench.budget", lines)


if __name__ == "__main__":
    main()
