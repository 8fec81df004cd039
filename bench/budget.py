"""What a whole stack reserves, by part and in sum, against the memory that its machine gives it.

Usage: python -m bench.budget [STACK]; without a stack: `wsl`, against what `.wslconfig` gives its virtual machine.
"""

import sys
from collections.abc import Mapping

from bench.report import table, write
from cluster.wsl.settings import MEMORY_GIB
from infra.ci.builder import builder_of
from infra.ci.jenkins_settings import agents
from infra.config import StackConfig
from infra.delivery.analysis import MEMORY_MIB
from ops.preflight.declared import declared
from ops.preflight.memory import KERNEL_MIB, SYSTEM_MIB
from ops.preflight.requests import Reserved, mib, of_stack, total_mib, total_millicores


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


def pipelines_mib(stack: StackConfig) -> dict[str, float]:
    """Return what a pod of each kind of pipelines reserves while it runs, all its containers."""
    builder, jenkins = builder_of(stack), stack.ci.jenkins
    if not (builder and jenkins):
        return {}
    pods = {label: pod for cloud in agents(stack, jenkins, builder).values() for label, pod in cloud}
    return {
        label: sum(mib(each["resources"]["requests"]["memory"]) for each in pod["spec"]["containers"])
        for label, pod in pods.items()
    }


def rollout_mib(stack: StackConfig) -> float:
    """Return what a new version of the api reserves beside the old one until it has taken over."""
    api, rollback = stack.chat.api, stack.delivery.rollback
    more = api.replicas if api.rollout == "blueGreen" else 1
    asking = 0 if api.rollout == "rolling" else MEMORY_MIB + (rollback.memory_mib if rollback else 0)
    return more * api.memory_mib + asking


def left_mib(parts: list[Reserved]) -> float:
    """Return what the budget leaves for what runs now and then."""
    return MEMORY_GIB * 1024 - KERNEL_MIB - SYSTEM_MIB - total_mib(parts)


def verdict(parts: list[Reserved], pipelines: Mapping[str, float] | None = None, rollout: float = 0) -> list[str]:
    """Return the sum, what is left of the budget, and what of that which runs now and then fits into it.

    Args:
        parts: what everything reserves.
        pipelines: kind of pods in which pipelines run -> memory of one; absent: there are none.
        rollout: memory of a rollout, which must not wait for a build: it fails when its pods do not start in time.
    """
    unstated = [part.part for part in parts if not part.is_stated]
    system, left = KERNEL_MIB + SYSTEM_MIB, left_mib(parts)
    lines = [
        f"Reserved all the time: **{total_mib(parts) / 1024:.1f} GiB** of memory, the model server included, and "
        f"**{total_millicores(parts) / 1000:.1f}** processors.",
        "",
        f"Budget: {MEMORY_GIB} GiB for the virtual machine (`memory=` in `.wslconfig`; not the PC's 32), of which "
        f"{system / 1024:.0f} GiB are kept for the kernel, systemd, containerd, etcd and the control plane. "
        f"**{abs(left) / 1024:.1f} GiB {'are left' if left >= 0 else 'too much'}**, for builds and whatever else runs "
        "now and then.",
    ]
    if pipelines:
        fits = {True: "yes", False: "**no: it waits, and the rollout fails when it waits too long**"}
        lines += [
            "",
            f"A new version of the api takes {rollout:.0f} MiB of that while it is asked. What a pod of pipelines "
            "takes while it runs (where two do not fit, the second waits):",
            "",
            *table(
                ["pod", "memory MiB", "fits, with a rollout beside it"],
                [[label, f"{its:.0f}", fits[its + rollout <= left]] for label, its in pipelines.items()],
            ),
        ]
    return [*lines, "", f"Not stated, and so not in the sum: {', '.join(unstated)}."] if unstated else lines


def report(parts: list[Reserved], pipelines: Mapping[str, float] | None = None, rollout: float = 0) -> list[str]:
    """Return the whole text."""
    head = ["room", "part", "replicas", "memory MiB", "CPU millicores"]
    return [
        *verdict(parts, pipelines, rollout),
        *["", "## By room", "", *table(["room", "memory MiB", "CPU millicores"], by_room(parts))],
        *["", "## By part", "", *table(head, rows(parts)), ""],
        "Workloads of this program: from their manifests, all replicas. Charts: from the values that they are given, "
        "every `requests` times the replicas beside it. What runs now and then is not in the sums.",
    ]


def main() -> None:
    """Write the budget of a stack."""
    stack = sys.argv[1] if len(sys.argv) > 1 else "wsl"
    whole = declared(stack)
    lines = report(of_stack(whole.recording), pipelines_mib(whole.stack), rollout_mib(whole.stack))
    write("budget", f"What stack `{stack}` reserves", "python -m bench.budget", lines)


if __name__ == "__main__":
    main()
