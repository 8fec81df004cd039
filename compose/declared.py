"""What this checkout declares of AIPP, in the terms of the vendor's file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.config import ConfigError
from infra.gitops import declare_workload
from infra.recorder import Recording, record
from infra.stackfile import configuration, placeholder_secrets

FIELD_OF: Mapping[str, str] = {
    "pgvector": "pgvector",
    "redis": "redis",
    "rabbitmq": "rabbitmq",
    "enai-front": "front",
    "enai-backend": "backend",
    "enai-data-processor": "dataProcessor",
    "enai-linker": "linker",
    "enai-scheduler": "scheduler",
}
"""Service -> field of `aihub:aipp`."""

IMAGE_OF: Mapping[str, str] = {
    "pgvector": "pgvector",
    "redis": "redis",
    "rabbitmq": "rabbitmq",
    "front-next": "enai-front",
    "backend": "enai-backend",
    "catalog-collector": "enai-data-processor",
    "linker": "enai-linker",
    "scheduler": "enai-scheduler",
}
"""Last part of an image's name, as the vendor has it -> our service."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One service as it is declared."""

    name: str
    """Its name."""
    image: str
    """Image reference."""
    ports: frozenset[int]
    """Ports of its container."""
    environment: frozenset[str]
    """Names of the variables that it gets."""
    volumes: frozenset[str]
    """Paths in the container that hold a claim, or that it may write to."""
    needs: frozenset[str]
    """Services that it waits for."""
    gpus: int
    """GPUs of its pod."""
    shared_memory_mib: int
    """Size of /dev/shm; 0: the runtime's 64 MiB."""


def declared(stack: str) -> dict[str, Declared]:
    """Return service -> what is declared, for every service of AIPP in a stack.

    Raises:
        ConfigError: there is no such stack, its configuration is wrong, or it has no `aihub:aipp`.
    """
    config = configuration(stack)
    if not config.get("aihub:aipp"):
        raise ConfigError(f"stack {stack} has no aihub:aipp: name one that has, e.g. --stack dev")
    return services_of(record(declare_workload, stack=stack, config=config, secrets=placeholder_secrets()))


def services_of(recording: Recording) -> dict[str, Declared]:
    """Return service -> what a run declared of it."""
    maps = {each.object_name: each.properties["data"] for each in recording.objects() if each.kind == "ConfigMap"}
    found = {}
    for each in recording.objects():
        room = recording.room_of(each)
        if room == "aipp" and each.kind in {"Deployment", "StatefulSet"}:
            found[each.object_name] = _declared(each.object_name, each.properties["spec"]["template"]["spec"], maps)
    return found


def _declared(name: str, pod: Mapping[str, Any], maps: Mapping[str, Mapping[str, str]]) -> Declared:
    (container,) = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    kept = {name for name, each in volumes.items() if "persistentVolumeClaim" in each or name.startswith("writable-")}
    from_maps = {key for each in container.get("envFrom", []) for key in maps[each["configMapRef"]["name"]]}
    shared = volumes.get("shared-memory", {}).get("emptyDir", {}).get("sizeLimit", "0Mi")
    steps = [step["name"] for step in pod.get("initContainers", [])]
    waits = {step.removeprefix("wait-for-") for step in steps if step.startswith("wait-for-")}
    return Declared(
        name=name,
        image=container["image"],
        ports=frozenset(int(port["containerPort"]) for port in container["ports"]),
        environment=frozenset({each["name"] for each in container.get("env", [])} | from_maps),
        volumes=frozenset(mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in kept),
        needs=frozenset(target if target in FIELD_OF else f"enai-{target}" for target in waits),
        gpus=int(container["resources"]["limits"].get("nvidia.com/gpu", 0)),
        shared_memory_mib=int(shared.removesuffix("Mi")),
    )
