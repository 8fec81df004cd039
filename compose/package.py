"""The vendor's Compose file, read as Docker reads it.

compose-go, which Docker's own command is built on, does the reading: `toolchain/go/compose`. See docs/decisions/1304.
"""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.config.aipp_services import sounds_secret


class PackageError(Exception):
    """The file cannot be read; the message says where, and shows no variable's value."""


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """One service of the package; of variables the names only, so that nothing made of it can show a value."""

    name: str
    """Its name in the file."""
    image: str
    """Image reference, variables filled in; empty: it is built from a folder."""
    ports: frozenset[int]
    """Ports of the container that are opened."""
    environment: frozenset[str]
    """Names of its variables, those of its env_file included where that is the one that was given."""
    volumes: frozenset[str]
    """Paths in the container that outlive it: volumes and folders of the machine."""
    files: frozenset[str]
    """Paths in the container of single files of the machine, e.g. a script."""
    needs: frozenset[str]
    """Services that are started before it."""
    secrets: frozenset[str]
    """Names of Compose's own secrets that it is given."""
    gpus: int
    """GPUs that are reserved for it; -1: all of the machine."""
    shared_memory_mib: int
    """Size of /dev/shm; 0: Docker's 64 MiB."""
    unread: frozenset[str]
    """Files of variables that it reads and that were not given."""
    refused: tuple[str, ...]
    """What it asks for and no pod here gets, each with the way out."""


_REFUSED: Mapping[str, str] = {
    "build": "is built from a folder: have the vendor ship an image, or build and push it, and name it",
    "privileged": "runs privileged, which Pod Security refuses: ask the vendor what it needs that for",
    "cap_add": "asks for capabilities of the kernel, which Pod Security refuses: ask the vendor what for",
    "devices": "asks for devices of the machine: for a GPU use deploy.resources.reservations.devices",
    "network_mode": "leaves the package's network: say in plan.py whom it calls, and remove network_mode",
    "pid": "sees the machine's processes, which Pod Security refuses: remove pid",
    "ipc": "shares memory with others, which Pod Security refuses: use shm_size",
    "volumes_from": "borrows another's volumes: give each service its own",
    "links": "names others by links: call them by their service names",
    "extra_hosts": "writes host names into /etc/hosts: have them in the DNS, or name the Service",
}
"""Field -> what is wrong with it here."""


def read(file: Path, environment: Path | None, reader: Path) -> list[Shipped]:
    """Return the services of a Compose file, sorted by name.

    Args:
        file: docker-compose.yml.
        environment: the variables for it, `.env`; None: none.
        reader: the program of `toolchain/go/compose`.

    Raises:
        PackageError: a file is missing, or is none that Docker would take.
    """
    for path in (file, *([environment] if environment else [])):
        if not path.is_file():
            raise PackageError(f"{path}: there is no such file")
    variables = ["--env", str(environment)] if environment else []
    done = subprocess.run([str(reader), *variables, str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"{file}: {done.stderr.strip()}")
    answer: dict[str, Any] = json.loads(done.stdout)
    # Beside the vendor's file it is called .env, whatever it is called here.
    given = dict.fromkeys((environment.name, ".env"), frozenset(answer["variables"])) if environment else {}
    services: dict[str, Any] = answer["project"].get("services") or {}
    shown = {name: without_values(service, answer["variables"]) for name, service in services.items()}
    return [_shipped(name, shown[name], given) for name in sorted(shown)]


def without_values(value: Any, variables: Mapping[str, str]) -> Any:
    """Return a part of the file without the values of variables that sound secret, wherever they were used."""
    match value:
        case dict():
            return {key: without_values(each, variables) for key, each in value.items()}
        case list():
            return [without_values(each, variables) for each in value]
        case str():
            for name, secret in variables.items():
                if secret and sounds_secret(name):
                    value = value.replace(secret, f"[value of {name}]")
            return value
        case _:
            return value


def _shipped(name: str, service: Mapping[str, Any], given: Mapping[str, frozenset[str]]) -> Shipped:
    env_files = [Path(each["path"]).name for each in service.get("env_file") or []]
    mounts = service.get("volumes") or []
    files = {mount["target"] for mount in mounts if mount["type"] == "bind" and _is_file(mount)}
    from_files = frozenset(variable for file in env_files for variable in given.get(file, ()))
    return Shipped(
        name=name,
        image=service.get("image") or "",
        ports=frozenset(int(port["target"]) for port in service.get("ports") or []) | _exposed(service),
        environment=frozenset(service.get("environment") or {}) | from_files,
        volumes=frozenset(mount["target"] for mount in mounts if mount["type"] != "tmpfs") - files,
        files=frozenset(files),
        needs=frozenset(service.get("depends_on") or {}),
        secrets=frozenset(str(each["source"]) for each in service.get("secrets") or []),
        gpus=_gpus(service),
        shared_memory_mib=int(service.get("shm_size") or 0) // 2**20,
        unread=frozenset(file for file in env_files if file not in given),
        refused=tuple(f"{field} {wrong}" for field, wrong in _REFUSED.items() if service.get(field)),
    )


def _exposed(service: Mapping[str, Any]) -> frozenset[int]:
    return frozenset(int(re.split(r"[-/]", str(port))[0]) for port in service.get("expose") or [])


def _is_file(mount: Mapping[str, Any]) -> bool:
    """Say whether a mounted path of the machine is a single file: it is not at hand, but files have endings."""
    return bool(Path(str(mount["target"])).suffix)


def _gpus(service: Mapping[str, Any]) -> int:
    reservations = ((service.get("deploy") or {}).get("resources") or {}).get("reservations") or {}
    devices = [*(reservations.get("devices") or []), *(service.get("gpus") or [])]
    return sum(int(each.get("count") or 1) for each in devices if "gpu" in (each.get("capabilities") or ["gpu"]))
