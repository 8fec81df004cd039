"""What a whole stack reserves of the node: memory and processors, by part, from what the program declares.

Workloads of ours say it in their manifests. A chart says it where the values handed to it do: every ``requests`` times
the ``replicas`` beside it. A chart whose values name none is *not stated*: its own defaults hold, which are not here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.recorder import Recorded, Recording

SERVERS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Rollout"})
"""Kinds whose pods run all the time."""
PASSING = frozenset({"Job", "CronJob"})
"""Kinds whose pods run now and then."""
_MEMORY = {"": 1 / 2**20, "Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0, "k": 1e3 / 2**20, "M": 1e6 / 2**20, "G": 1e9 / 2**20}
"""Unit of a Kubernetes quantity -> MiB."""
_QUANTITY = re.compile(r"([0-9.]+)([A-Za-z]*)")
_STARTING = re.compile(r"(^|\.)(\w*init\w*|startupapicheck)(\[|\.|$)", re.IGNORECASE)
"""Path in a chart's values of what runs once, at the beginning: initial containers, and checks of an installation."""


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """What one workload, or one part of a chart, reserves."""

    room: str
    """Room that declares it."""
    part: str
    """Name of the workload, or of the release and the path in its values."""
    replicas: int
    memory_mib: float | None
    """Of all replicas; None: not stated."""
    cpu_millicores: float | None
    """Of all replicas; None: not stated."""
    passing: bool = False
    """Whether it runs now and then only."""

    @property
    def is_stated(self) -> bool:
        """Whether anything is known of it."""
        return self.memory_mib is not None or self.cpu_millicores is not None


def mib(quantity: object) -> float:
    """Return a Kubernetes quantity of memory in MiB.

    Raises:
        ValueError: it is none.
    """
    found = _QUANTITY.fullmatch(str(quantity))
    if not found or found[2] not in _MEMORY:
        raise ValueError(f"{quantity!r} is no quantity of memory")
    return float(found[1]) * _MEMORY[found[2]]


def millicores(quantity: object) -> float:
    """Return a Kubernetes quantity of processors in thousandths of one."""
    text = str(quantity)
    return float(text[:-1]) if text.endswith("m") else float(text) * 1000


def of_stack(recording: Recording) -> list[Reserved]:
    """Return what everything reserves that a recording declares, by room."""
    found = [each for resource in recording.resources for each in _of(resource, recording)]
    return sorted(found, key=lambda each: (each.room, each.part))


def total_mib(parts: list[Reserved]) -> float:
    """Return the memory that is reserved all the time."""
    return sum(part.memory_mib or 0 for part in parts if not part.passing)


def total_millicores(parts: list[Reserved]) -> float:
    """Return the processors that are reserved all the time."""
    return sum(part.cpu_millicores or 0 for part in parts if not part.passing)


def _of(resource: Recorded, recording: Recording) -> Iterator[Reserved]:
    if resource.type.startswith("kubernetes:helm.sh/"):
        yield from _of_chart(resource, recording.room_of(resource))
    elif resource.kind in SERVERS | PASSING:
        spec = resource.properties["spec"]
        template = spec["jobTemplate"]["spec"]["template"] if resource.kind == "CronJob" else spec.get("template")
        if template:  # a Rollout may point at a Deployment instead
            yield _of_pods(resource, recording.room_of(resource), template["spec"])


def _of_pods(resource: Recorded, room: str, pod: Mapping[str, Any]) -> Reserved:
    """Return what a workload's pods reserve: the sum of their containers, or more if an initial one needs more."""
    replicas = int(resource.properties["spec"].get("replicas", 1))
    requests = [container.get("resources", {}).get("requests", {}) for container in pod["containers"]]
    initial = [container.get("resources", {}).get("requests", {}) for container in pod.get("initContainers", ())]

    def together(name: str, amount: Any) -> float:
        first = max((amount(each.get(name, 0)) for each in initial), default=0)
        return float(replicas * max(first, sum(amount(each.get(name, 0)) for each in requests)))

    return Reserved(
        room=room,
        part=resource.object_name,
        replicas=replicas,
        memory_mib=together("memory", mib),
        cpu_millicores=together("cpu", millicores),
        passing=resource.kind in PASSING,
    )


def _of_chart(release: Recorded, room: str) -> Iterator[Reserved]:
    stated = list(_requests_in(release.properties.get("values", {}), "", 1))
    name = str(release.properties["name"])
    for path, replicas, requests in stated:
        yield Reserved(
            room=room,
            part=f"{name}: {path or 'all'}",
            replicas=replicas,
            memory_mib=replicas * mib(requests["memory"]) if "memory" in requests else None,
            cpu_millicores=replicas * millicores(requests["cpu"]) if "cpu" in requests else None,
            passing=bool(_STARTING.search(path)),
        )
    if not stated:
        yield Reserved(room=room, part=name, replicas=1, memory_mib=None, cpu_millicores=None)


def _requests_in(values: Any, path: str, replicas: int) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Yield (path of the part, its replicas, its requests) for every ``resources.requests`` in a chart's values."""
    if isinstance(values, list):
        for number, each in enumerate(values):
            yield from _requests_in(each, f"{path}[{number}]", replicas)
    if not isinstance(values, Mapping) or values.get("enabled") is False:
        return
    here = next((values[key] for key in ("replicas", "replicaCount") if isinstance(values.get(key), int)), replicas)
    for key, value in values.items():
        requests = value.get("requests") if key.lower().endswith("resources") and isinstance(value, Mapping) else None
        if isinstance(requests, Mapping) and "storage" in requests:
            continue  # a claim's
        if isinstance(requests, Mapping):
            of_part = key.removesuffix("resources").removesuffix("Resources")
            yield ".".join(each for each in (path, of_part) if each), here, requests
        else:
            yield from _requests_in(value, f"{path}.{key}" if path else key, here)
