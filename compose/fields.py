"""The fields of a service in a Compose file, and what becomes of each: every one that is set is read or named."""

from collections.abc import Iterator, Mapping
from typing import Any

REFUSED: Mapping[str, str] = {
    "build": "is built from a folder: have the vendor ship an image, or build and push it, and name it",
    "privileged": "runs privileged, which Pod Security refuses: ask the vendor what it needs that for",
    "cap_add": "asks for capabilities of the kernel, which Pod Security refuses: ask the vendor what for",
    "devices": "asks for devices of the machine: for a GPU use deploy.resources.reservations.devices",
    "network_mode": "leaves the package's network: say in plan.py whom it calls, and remove network_mode",
    "pid": "sees the machine's processes, which Pod Security refuses: remove pid",
    "ipc": "shares memory with others, which Pod Security refuses: use shm_size",
    "userns_mode": "leaves the container's own users, which Pod Security refuses: remove userns_mode",
    "sysctls": "sets the kernel's parameters, which no pod here may: ask the vendor what for, and set them on the node",
    "ulimits": "sets limits of its processes, which a pod cannot: the node's container runtime has them",
    "volumes_from": "borrows another's volumes: give each service its own",
    "links": "names others by links: call them by their service names",
    "external_links": "names others by links: call them by their service names",
    "extra_hosts": "writes host names into /etc/hosts: have them in the DNS, or name the Service",
}
"""Field -> what is wrong with it here."""

ELSEWHERE: Mapping[str, str] = {
    "command": "replaces the image's own command, which runs here: ask the vendor for an image that needs none",
    "entrypoint": "replaces the image's own entry point, which runs here: ask the vendor for an image that needs none",
    "user": "names a user; pods run as 10001 here: check that the image can",
    "healthcheck": "says how it is asked whether it lives: say so in {field}.livePath and {field}.readyPath",
    "stop_grace_period": "says how long it may take to stop; a pod here has 60 s (infra/aipp/workload.py)",
    "security_opt": "loosens or tightens its isolation; pods here are `restricted`: check that this is enough for it",
}
"""Field -> what is to be looked at here; {field} is the service's section of the configuration."""

_READ = {
    *("image", "ports", "expose", "environment", "env_file", "volumes", "tmpfs", "configs", "secrets", "depends_on"),
    *("gpus", "scale", "mem_limit", "cpus", "shm_size", "deploy.replicas"),
    *("deploy.resources.limits.memory", "deploy.resources.limits.cpus", "deploy.resources.reservations.devices"),
}

_MEANT_BY_EVERY_POD = {
    # It is started again, found by its name, cut off from what it may not do, and its output is collected.
    *("restart", "deploy.restart_policy", "networks", "container_name", "hostname", "cap_drop", "read_only", "logging"),
    # What it needs is reserved, and replaced as its component says.
    *("mem_reservation", "deploy.resources.reservations.memory", "deploy.resources.reservations.cpus"),
    *("deploy.update_config", "deploy.rollback_config", "deploy.endpoint_mode"),
    # Said to Docker alone.
    *("attach", "develop", "init", "profiles", "pull_policy", "stdin_open", "tty", "labels", "annotations"),
    "deploy.labels",
}


def other_fields(service: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields that are set, are not read, and are not refused, e.g. ``command``, ``deploy.placement``."""
    for field, value in _flat(service):
        known = field in _READ or field in REFUSED or field in _MEANT_BY_EVERY_POD or field.startswith("x-")
        if not known and not (field == "runtime" and value == "nvidia"):
            yield field


def what_of(field: str, section: str) -> str:
    """Return a field, and what a person does about it; ``section`` is the service's in the configuration."""
    unknown = "is set there, and nothing here reads it: ask the vendor what for"
    return f"{field} {ELSEWHERE.get(field, unknown).format(field=section)}"


def _flat(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields that have a value; those of ``deploy`` by their whole path."""
    for name, value in section.items():
        path = f"{above}{name}"
        if path in ("deploy", "deploy.resources", "deploy.resources.limits", "deploy.resources.reservations"):
            yield from _flat(value or {}, f"{path}.")
        elif value:
            yield path, value
