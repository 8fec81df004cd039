"""What a Longhorn that is the cluster's must have for this stack: where backups go, what it does when a node dies."""

from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.reader import Machine

SETTING = "node-down-pod-deletion-policy"
GIVES_UP = "delete-both-statefulset-and-deployment-pod"


def node_down(machine: Machine, namespace: str) -> Finding:
    """Say whether a pod with a volume moves by itself from a node that is down; nothing depends on it."""
    listed = machine.kubectl("settings.longhorn.io", "--namespace", namespace) or {"items": []}
    policy = next((item["value"] for item in listed["items"] if item["metadata"]["name"] == SETTING), None)
    says = f"{SETTING} is {policy or 'not known'}"
    if policy != GIVES_UP:
        says += f": a pod with a volume stays on a dead node until a person acts; {GIVES_UP} moves it (docs/aipp.md)"
    return Finding(name="Longhorn, a node down", ok=True, says=says)


def backup_target(machine: Machine, namespace: str) -> Finding:
    """Do backups have somewhere to go?"""
    listed = machine.kubectl("backuptargets.longhorn.io", "--namespace", namespace)
    if listed is None:
        says = f"no backuptargets.longhorn.io in {namespace} can be read: is Longhorn there, and 1.8 or later?"
    else:
        available = [item for item in listed["items"] if item.get("status", {}).get("available")]
        if available:
            urls = ", ".join(item["spec"].get("backupTargetURL", "") for item in available)
            return Finding(name="Longhorn, backups", ok=True, says=f"to {urls}")
        says = "none of its backup targets is available, so none can be made"
    return Finding(
        name="Longhorn, backups",
        ok=False,
        says=says,
        fix="have the cluster's Longhorn be given a target (its page: Settings, Backup Target), or leave "
        "storage.schedules.backups out",
    )


def looks(machine: Machine, declared: Declared) -> list[Finding]:
    """Return what is to be said; nothing where Longhorn is not the cluster's, or no cluster answers."""
    schedules = declared.stack.storage.schedules
    if not schedules or machine.kubectl("namespaces") is None:
        return []
    found = [node_down(machine, schedules.namespace)]
    return [*found, backup_target(machine, schedules.namespace)] if schedules.backups else found
