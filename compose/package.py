"""The vendor's Compose file, read as Docker reads it.

compose-go, which Docker's own command is built on, does the reading: `toolchain/go/compose`. See docs/decisions/1304.
"""

import hmac
import json
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compose.fields import REFUSED, other_fields
from infra.config.aipp_services import holds_secret, sounds_secret

_RUN = secrets.token_bytes(32)


class PackageError(Exception):
    """The file cannot be read; the message says where, and shows no variable's value."""


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """One service of the package; of variables no value, so that nothing made of it can show one."""

    name: str
    """Its name in the file."""
    image: str
    """Image reference, variables filled in; empty: it is built from a folder."""
    ports: frozenset[int]
    """TCP ports of the container that are opened."""
    environment: Mapping[str, str]
    """Variable -> mark of its value, those of its env_file included where that is the one that was given."""
    secret: frozenset[str]
    """Its variables that sound secret, or whose value carries something secret."""
    volumes: frozenset[str]
    """Paths in the container that outlive it: volumes and folders of the machine."""
    scratch: frozenset[str]
    """Paths in the container that it may write to, in memory."""
    files: frozenset[str]
    """Paths in the container of single files of the machine, e.g. a script."""
    needs: frozenset[str]
    """Services that are started before it."""
    secrets: frozenset[str]
    """Names of Compose's own secrets that it is given."""
    gpus: int
    """GPUs that are reserved for it; -1: all of the machine."""
    replicas: int
    """How many of it run."""
    memory_mib: int
    """Its limit of memory; 0: none."""
    cpu_millicores: int
    """Its limit of processors; 0: none."""
    shared_memory_mib: int
    """Size of /dev/shm; 0: Docker's 64 MiB."""
    unread: frozenset[str]
    """Files of variables that it reads and that were not given."""
    refused: tuple[str, ...]
    """What it asks for and no pod here gets, each with the way out."""
    fields: frozenset[str]
    """Every other field that is set and means something, e.g. ``command``: it is not compared, only named."""


def mark(value: str | None) -> str:
    """Return what is alike for equal values within one run, and tells nothing of them; empty: there is no value."""
    return "" if value is None else hmac.digest(_RUN, value.encode(), "sha256").hex()


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
    given = dict.fromkeys((environment.name, ".env"), answer["variables"]) if environment else {}
    services: dict[str, Any] = answer["project"].get("services") or {}
    return [_shipped(name, services[name], given, answer["variables"]) for name in sorted(services)]


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


def _shipped(
    name: str, whole: Mapping[str, Any], given: Mapping[str, Mapping[str, str]], variables: Mapping[str, str]
) -> Shipped:
    env_files = [Path(each["path"]).name for each in whole.get("env_file") or []]
    environment: dict[str, str | None] = {key: each for file in env_files for key, each in given.get(file, {}).items()}
    environment |= whole.get("environment") or {}
    service: Mapping[str, Any] = without_values(whole, variables)
    mounts, configs = service.get("volumes") or [], service.get("configs") or []
    files = {mount["target"] for mount in mounts if mount["type"] == "bind" and _is_file(mount)}
    in_memory = {mount["target"] for mount in mounts if mount["type"] == "tmpfs"}
    ports = {(int(port["target"]), port["protocol"]) for port in service.get("ports") or []} | {*_exposed(service)}
    limits = _part(service, "deploy", "resources", "limits")
    return Shipped(
        name=name,
        image=service.get("image") or "",
        ports=frozenset(port for port, protocol in ports if protocol == "tcp"),
        environment={variable: mark(value) for variable, value in environment.items()},
        secret=frozenset(key for key, value in environment.items() if _is_secret(key, value or "", variables)),
        volumes=frozenset(mount["target"] for mount in mounts) - files - in_memory,
        scratch=frozenset({str(each).partition(":")[0] for each in service.get("tmpfs") or []} | in_memory),
        files=frozenset({*files, *(each.get("target") or f"/{each['source']}" for each in configs)}),
        needs=frozenset(service.get("depends_on") or {}),
        secrets=frozenset(str(each["source"]) for each in service.get("secrets") or []),
        gpus=_gpus(service),
        replicas=int(service.get("scale") or _part(service, "deploy").get("replicas") or 1),
        memory_mib=int(service.get("mem_limit") or limits.get("memory") or 0) // 2**20,
        cpu_millicores=round(1000 * float(service.get("cpus") or limits.get("cpus") or 0)),
        shared_memory_mib=int(service.get("shm_size") or 0) // 2**20,
        unread=frozenset(file for file in env_files if file not in given),
        refused=(
            *(f"{field} {wrong}" for field, wrong in REFUSED.items() if service.get(field)),
            *(
                f"port {port}/{protocol} is opened: Services and policies here are for TCP; ask the vendor what for"
                for port, protocol in sorted(ports)
                if protocol != "tcp"
            ),
        ),
        fields=frozenset(other_fields(service)),
    )


def _is_secret(name: str, value: str, variables: Mapping[str, str]) -> bool:
    return sounds_secret(name) or holds_secret(value) or without_values(value, variables) != value


def _exposed(service: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield (port, protocol) of what is opened to the other services: 8080, 9000-9002, 5353/udp."""
    for each in service.get("expose") or []:
        numbers, _, protocol = str(each).partition("/")
        first, _, last = numbers.partition("-")
        yield from ((port, protocol or "tcp") for port in range(int(first), int(last or first) + 1))


def _is_file(mount: Mapping[str, Any]) -> bool:
    """Say whether a mounted path of the machine is a single file: it is not at hand, but files have endings."""
    return bool(Path(str(mount["target"])).suffix)


def _part(service: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return a section of a section; empty where there is none."""
    found: Mapping[str, Any] = service
    for name in path:
        found = found.get(name) or {}
    return found


def _gpus(service: Mapping[str, Any]) -> int:
    reserved = _part(service, "deploy", "resources", "reservations").get("devices") or []
    devices = [*reserved, *(service.get("gpus") or [])]
    counts = [int(each.get("count") or 1) for each in devices if "gpu" in (each.get("capabilities") or ["gpu"])]
    # The older way: the runtime gives a container every card.
    every = service.get("runtime") == "nvidia" and not counts
    return -1 if every or -1 in counts else sum(counts)
