"""Can every volume get its declared size? One that is there may grow, where its class can, and never shrinks."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.reader import Machine

NAME = "volume sizes"


def looks(machine: Machine, declared: Declared) -> list[Finding]:
    """Return a finding for each volume that cannot get its size, or one that says that all can."""
    there, classes = machine.kubectl("persistentvolumeclaims", "--all-namespaces"), machine.kubectl("storageclasses")
    if there is None or classes is None:
        return [Finding(name=NAME, ok=True, says="no cluster answers yet, so no volume can be looked for")]
    growing = {each["metadata"]["name"] for each in classes["items"] if each.get("allowVolumeExpansion")}
    live = {_named(each): each for each in there["items"]}
    wanted = [each.properties for each in declared.recording.objects() if each.kind == "PersistentVolumeClaim"]
    judged = [_judged(live[_named(each)], each, growing, declared.name) for each in wanted if _named(each) in live]
    found = [finding for finding in judged if finding]
    says = f"{len(judged)} of {len(wanted)} volumes are there, and each can get the size that is declared"
    return found or [Finding(name=NAME, ok=True, says=says)]


def _named(claim: Mapping[str, Any]) -> str:
    return f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"


def _size(claim: Mapping[str, Any]) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])


def _bytes(size: str) -> Decimal:
    return Decimal(parse_quantity(size))  # type: ignore[no-untyped-call]  # the client leaves it out


def _judged(live: Mapping[str, Any], wanted: Mapping[str, Any], growing: set[str], stack: str) -> Finding | None:
    name, has, shall = f"volume {_named(wanted)}", _size(live), _size(wanted)
    if _bytes(shall) < _bytes(has):
        return Finding(
            name=name,
            ok=False,
            says=f"{has} is there and {shall} is declared: no volume becomes smaller",
            fix=f"set its storageGib in Pulumi.{stack}.yaml to {has.removesuffix('Gi')} or more; to make it smaller, "
            "move its data: docs/upgrades.md",
        )
    storage_class = live["spec"].get("storageClassName", "")
    if _bytes(shall) > _bytes(has) and storage_class not in growing:
        return Finding(
            name=name,
            ok=False,
            says=f"{has} is there, {shall} is declared, and StorageClass {storage_class} cannot grow volumes",
            fix=f"set its storageGib in Pulumi.{stack}.yaml back to {has.removesuffix('Gi')}, "
            "or move its data to another volume: docs/upgrades.md",
        )
    return None
