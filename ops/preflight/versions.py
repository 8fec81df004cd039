"""Are Kubernetes and Longhorn new enough for what the stack declares? An older one ignores it, or never starts it."""

import re
from collections.abc import Iterable, Iterator

from ops.machine import Finding
from ops.preflight.declared import Declared, walk
from ops.preflight.reader import Machine
from ops.preflight.storage import LONGHORN_PROVISIONER

ONE_POD = "ReadWriteOncePod"
KUBERNETES = (1, 30)
"""The first that waits before it ends a container (``preStop.sleep``); 1.29 enforces ReadWriteOncePod, and starts a
container beside the others before them. By default all three."""
LONGHORN = (1, 11)
"""The first that makes volumes which one pod alone may mount."""
LONGHORN_VERSION = "current-longhorn-version"
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.")


def too_old(machine: Machine, declared: Declared) -> Iterator[Finding]:
    """Yield what is to be said; nothing where the stack asks for nothing new, or no version can be read."""
    objects = [each.properties for each in declared.recording.objects()]
    one_pod = [
        each["metadata"]["name"]
        for each in objects
        if each["kind"] == "PersistentVolumeClaim" and ONE_POD in each["spec"]["accessModes"]
    ]
    beside = [
        container["name"]
        for each in objects
        for mapping in walk(each)
        for container in mapping.get("initContainers", ())
        if container.get("restartPolicy") == "Always"
    ]
    waiting = [
        mapping["name"]
        for each in objects
        for mapping in walk(each)
        if "sleep" in (mapping.get("lifecycle") or {}).get("preStop", {})
    ]
    if needs := [*one_pod, *beside, *waiting]:
        nodes = machine.kubectl("nodes") or {"items": []}
        kubelets = {item["metadata"]["name"]: item["status"]["nodeInfo"]["kubeletVersion"] for item in nodes["items"]}
        if old := [f"{node} {version}" for node, version in kubelets.items() if _is_before(version, KUBERNETES)]:
            yield _finding("Kubernetes", ", ".join(old), KUBERNETES, needs)
    if one_pod and not declared.stack.storage.longhorn:
        version = _of_longhorn(machine, declared)
        if _is_before(version, LONGHORN):
            without = (
                "; enai-scheduler starts without, and may then run twice when a node dies, with "
                "aipp.scheduler.exclusiveVolume: false (docs/aipp.md)"
            )
            yield _finding("Longhorn", version, LONGHORN, one_pod, without)


def _of_longhorn(machine: Machine, declared: Declared) -> str:
    """Return the version of the cluster's Longhorn; empty: the volumes are not its, or it does not say."""
    storage = declared.stack.storage
    classes = machine.kubectl("storageclasses") or {"items": []}
    makers = {item["metadata"]["name"]: item["provisioner"] for item in classes["items"]}
    if makers.get(storage.storage_class) != LONGHORN_PROVISIONER:
        return ""
    namespace = storage.schedules.namespace if storage.schedules else "longhorn-system"
    listed = machine.kubectl("settings.longhorn.io", "--namespace", namespace) or {"items": []}
    values = {item["metadata"]["name"]: str(item.get("value", "")) for item in listed["items"]}
    return values.get(LONGHORN_VERSION, "")


def _is_before(version: str, first: tuple[int, int]) -> bool:
    found = _VERSION.match(version)
    return found is not None and (int(found[1]), int(found[2])) < first


def _finding(what: str, runs: str, first: tuple[int, int], needs: Iterable[str], without: str = "") -> Finding:
    return Finding(
        name=f"{what} version",
        ok=False,
        says=f"{runs}: {', '.join(sorted(set(needs)))} need {first[0]}.{first[1]}",
        fix=f"have {what} raised{without}",
    )
