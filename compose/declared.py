"""What this checkout declares of AIPP, in the terms of the vendor's file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compose.package import mark
from infra.aipp.names import FIELDS, STORES
from infra.config.aipp import AippConfig
from infra.gitops import declare_workload
from infra.recorder import Recording
from infra.stackfile import record_stack

FIELD_OF: Mapping[str, str] = {**{store: store for store in STORES}, **FIELDS}
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
    environment: Mapping[str, str]
    """Variable that it gets -> mark of its value; empty: the value is a secret, or known in the cluster only."""
    configured: Mapping[str, str]
    """Its variables that the stack's file names -> the field that has them."""
    volumes: frozenset[str]
    """Paths in the container that hold a claim, or that it may write to."""
    needs: frozenset[str]
    """Services that it waits for."""
    gpus: int
    """GPUs of its pod."""
    replicas: int
    """Number of its pods."""
    memory_mib: int
    """Memory of one."""
    cpu_millicores: int
    """CPU limit of one."""
    shared_memory_mib: int
    """Size of /dev/shm; 0: the runtime's 64 MiB."""


def declared(stack: str, config: AippConfig) -> dict[str, Declared]:
    """Return service -> what is declared, for every service of AIPP in a committed stack, of which this is the section.

    Raises:
        ConfigError: its configuration is wrong.
    """
    return services_of(record_stack(declare_workload, stack), config)


def services_of(recording: Recording, config: AippConfig) -> dict[str, Declared]:
    """Return service -> what a run with a configuration declared of it."""
    maps = {each.object_name: each.properties["data"] for each in recording.objects() if each.kind == "ConfigMap"}
    found = {}
    for each in recording.objects():
        room = recording.room_of(each)
        if room == "aipp" and each.kind in {"Deployment", "StatefulSet"}:
            configured = _configured(config, each.object_name)
            found[each.object_name] = _declared(each.object_name, each.properties["spec"], maps, configured)
    return found


def _configured(config: AippConfig, service: str) -> dict[str, str]:
    if service not in FIELDS:
        return {}
    section = config.services()[FIELDS[service]]
    return {
        **dict.fromkeys(section.environment, f"aipp.{FIELDS[service]}.environment"),
        **dict.fromkeys(section.secret_environment, f"aipp.{FIELDS[service]}.secretEnvironment"),
    }


def _declared(
    name: str, spec: Mapping[str, Any], maps: Mapping[str, Mapping[str, str]], configured: Mapping[str, str]
) -> Declared:
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    limits = container["resources"]["limits"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    kept = {name for name, each in volumes.items() if "persistentVolumeClaim" in each or name.startswith("writable-")}
    variables = {each["name"]: mark(each.get("value")) for each in container.get("env", [])}
    for each in container.get("envFrom", []):
        variables |= {key: mark(value) for key, value in maps[each["configMapRef"]["name"]].items()}
    shared = volumes.get("shared-memory", {}).get("emptyDir", {}).get("sizeLimit", "0Mi")
    steps = [step["name"] for step in pod.get("initContainers", [])]
    waits = {step.removeprefix("wait-for-") for step in steps if step.startswith("wait-for-")}
    return Declared(
        name=name,
        image=container["image"],
        ports=frozenset(int(port["containerPort"]) for port in container["ports"]),
        environment=variables,
        configured=configured,
        volumes=frozenset(mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in kept),
        needs=frozenset(target if target in FIELD_OF else f"enai-{target}" for target in waits),
        gpus=int(limits.get("nvidia.com/gpu", 0)),
        replicas=int(spec.get("replicas", 1)),
        memory_mib=int(limits["memory"].removesuffix("Mi")),
        cpu_millicores=int(limits["cpu"].removesuffix("m")),
        shared_memory_mib=int(shared.removesuffix("Mi")),
    )
