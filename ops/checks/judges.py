"""What lists of objects say about an installation: each judge takes what the API server lists and returns a finding."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from ops.checks import cards
from ops.machine import Finding

Listed = Mapping[str, Any]
"""A list as the API server gives it: ``{"items": [...]}``."""
STARTING_SECONDS = 60
"""How old a Job's pod is before it is to be ready: a CronJob of each minute always has one that starts."""


def nodes(listed: Listed) -> Finding:
    """One ready node is enough."""
    ready = [item["metadata"]["name"] for item in listed["items"] if condition(item, "Ready") == "True"]
    return Finding(
        name="node",
        ok=bool(ready),
        says=f"ready: {', '.join(ready)}" if ready else "no node is ready",
        fix="kubectl describe nodes; a node of our own: sudo python3 -m cluster status",
    )


def gpus(listed: Listed, wanted: int, pods: Listed, namespaces: Collection[str]) -> Finding:
    """The nodes offer as many GPUs as the stack's pods ask for, beside what pods of other namespaces ask for."""
    offered, asked = sum(cards.offered(listed).values()), cards.askers(pods)
    others = cards.of_others(asked, namespaces)
    says = f"{offered} nvidia.com/gpu allocatable, {wanted} asked for"
    ours = {pod: number for pod, number in asked.items() if pod not in others}
    says += f" ({cards.told(ours)})" if ours else ""
    says += f"; others ask, too: {cards.told(others)}" if others else ""
    return Finding(
        name="gpu",
        ok=offered - sum(others.values()) >= wanted,
        says=says,
        fix="make doctor names the missing piece: driver, toolkit, containerd's runtime, device plugin, or who has the "
        "card; what can do without is left out by its gpuCount: 0",
    )


def pods(namespace: str, listed: Listed, workloads: int = 1) -> Finding:
    """All pods of a namespace that run are ready; none is enough only where nothing is to run."""
    running = _run(listed)
    waiting = [
        f"{item['metadata']['name']} ({_reason(item)})"
        for item in running
        if not all(status.get("ready") for status in item["status"].get("containerStatuses", [{}]))
    ]
    return Finding(
        name=f"pods in {namespace}",
        ok=(bool(running) or not workloads) and not waiting,
        says=f"not ready: {', '.join(waiting)}" if waiting else f"{len(running)} ready",
        fix=f"kubectl -n {namespace} describe pods; kubectl -n {namespace} logs POD",
    )


def _reason(pod: Mapping[str, Any]) -> str:
    if condition(pod, "PodScheduled") == "False":
        return condition(pod, "PodScheduled", "message")
    for status in pod["status"].get("initContainerStatuses", []):
        if "running" in status.get("state", {}) and not status.get("ready"):  # one that stays beside the pod is ready
            return f"in {status['name']}"
    for status in pod["status"].get("containerStatuses", []):
        for state in status.get("state", {}).values():
            if reason := state.get("reason"):
                return str(reason)
    return str(pod["status"].get("phase", "unknown"))


def _run(listed: Listed) -> list[Mapping[str, Any]]:
    """Return the pods that are to be ready: neither those that ended, nor a Job's that has just begun.

    One that failed never runs again: its controller makes another, which is judged, and of a Job the Job itself is.
    """
    return [
        item
        for item in listed["items"]
        if item["status"].get("phase") not in {"Succeeded", "Failed"}
        and not (_owner(item)[0] == "Job" and _age_seconds(item) < STARTING_SECONDS)
    ]


def _owner(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and name of what made an object; itself where nobody did."""
    for reference in item["metadata"].get("ownerReferences", ()):
        return reference["kind"], reference["name"]
    return "", item["metadata"]["name"]


def _age_seconds(item: Mapping[str, Any]) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(item["metadata"]["creationTimestamp"])).total_seconds()


def jobs(namespace: str, listed: Listed) -> Finding:
    """The last run of every Job and CronJob that has ended was a good one."""
    ended = {
        _owner(item): item
        for item in sorted(listed["items"], key=lambda item: str(item["metadata"]["creationTimestamp"]))
        # An analysis that says no does its work; what came of its rollout is judged with the rollouts.
        if "True" in (condition(item, "Complete"), condition(item, "Failed")) and _owner(item)[0] != "AnalysisRun"
    }
    bad = [
        f"{item['metadata']['name']} ({condition(item, 'Failed', 'message')})"
        for item in ended.values()
        if condition(item, "Failed") == "True"
    ]
    return Finding(
        name=f"jobs in {namespace}",
        ok=not bad,
        says=f"failed: {', '.join(bad)}" if bad else f"{len(ended)} ended well",
        fix=f"kubectl -n {namespace} logs job/NAME; a CronJob's next good run ends this finding",
    )


def memory(namespace: str, listed: Listed) -> Finding:
    """No container's last end was for want of memory, even if it is well again."""
    killed = [
        f"{item['metadata']['name']} ({status['name']}, started again {status.get('restartCount', 0)} times)"
        for item in listed["items"]
        for status in item["status"].get("containerStatuses", [])
        if status.get("lastState", {}).get("terminated", {}).get("reason") == "OOMKilled"
    ]
    return Finding(
        name=f"memory in {namespace}",
        ok=not killed,
        says=f"killed for memory: {', '.join(killed)}" if killed else "no pod was killed for memory",
        fix="raise its memoryMib (enai-linker: lower batchSize first); a new pod of it ends this finding",
    )


def events(namespace: str, listed: Listed, waiting: Collection[str]) -> Finding:
    """What Kubernetes last said of each pod that waits, e.g. which Secret is missing or which image is not there."""
    said = {
        item["involvedObject"]["name"]: item.get("message", "")
        for item in sorted(listed["items"], key=lambda item: str(item.get("lastTimestamp") or item.get("eventTime")))
        if item.get("type") == "Warning" and item["involvedObject"]["name"] in waiting
    }
    return Finding(
        name=f"events in {namespace}",
        ok=not said,
        says="; ".join(f"{name}: {message}" for name, message in said.items()) or "nothing holds a pod up",
        fix=f"kubectl -n {namespace} get events",
    )


def waiting(listed: Listed) -> list[str]:
    """Return the names of the pods that are to be ready and are not."""
    return [item["metadata"]["name"] for item in _run(listed) if condition(item, "Ready") != "True"]


def external_secrets(listed: Listed) -> Finding:
    """External Secrets has fetched every Secret from the store."""
    bad = _unready(listed, lambda item: condition(item, "Ready", "message") or "not fetched yet")
    return Finding(
        name="external secrets",
        ok=not bad,
        says=f"not fetched: {', '.join(bad)}" if bad else f"{len(listed['items'])} fetched",
        fix="kubectl get externalsecrets --all-namespaces; pods that run keep the Secrets they have",
    )


def claims(namespace: str, listed: Listed) -> Finding:
    """All volume claims of a namespace are bound."""
    loose = [item["metadata"]["name"] for item in listed["items"] if item["status"].get("phase") != "Bound"]
    return Finding(
        name=f"volumes in {namespace}",
        ok=not loose,
        says=f"not bound: {', '.join(loose)}" if loose else f"{len(listed['items'])} bound",
        fix=f"kubectl -n {namespace} describe pvc",
    )


def certificates(listed: Listed) -> Finding:
    """Every certificate of cert-manager is issued and in time."""
    bad = _unready(listed, lambda item: _why(item) or "not issued yet")
    return Finding(
        name="certificates",
        ok=not bad,
        says=f"not ready: {', '.join(bad)}" if bad else f"{len(listed['items'])} ready",
        fix="kubectl describe certificate,certificaterequest,order,challenge --all-namespaces",
    )


def _why(item: Mapping[str, Any]) -> str:
    """Return why an object is not ready, e.g. ``Pending: no DNS record yet``; empty where it says nothing."""
    said = [condition(item, "Ready", field) for field in ("reason", "message")]
    return ": ".join(each for each in said if each)


def applications(listed: Listed) -> Finding:
    """Argo CD has brought every Application to what Git says, and it is well."""
    bad = [
        f"{_name(item)} ({sync}, {health})"
        for item in listed["items"]
        for sync in [item.get("status", {}).get("sync", {}).get("status", "Unknown")]
        for health in [item.get("status", {}).get("health", {}).get("status", "Unknown")]
        if (sync, health) != ("Synced", "Healthy")
    ]
    return Finding(
        name="applications",
        ok=not bad,
        says=f"not there yet: {', '.join(bad)}" if bad else f"{len(listed['items'])} synced and healthy",
        fix="kubectl -n argocd describe application NAME; its conditions name what Git or the cluster refused",
    )


def rollouts(listed: Listed) -> Finding:
    """No rollout is stuck or was aborted by its analysis."""
    bad = [
        f"{_name(item)} ({phase})"
        for item in listed["items"]
        for phase in [item.get("status", {}).get("phase", "Unknown")]
        if phase not in {"Healthy", "Progressing", "Paused"}
    ]
    return Finding(
        name="rollouts",
        ok=not bad,
        says=f"degraded: {', '.join(bad)}" if bad else f"{len(listed['items'])} well",
        fix="kubectl describe analysisrun --all-namespaces; the bad version is out of service already",
    )


def condition(item: Mapping[str, Any], kind: str, field: str = "status") -> str:
    """Return a field of an object's condition; empty where it has none of that kind."""
    conditions = item.get("status", {}).get("conditions") or ()
    return next((str(each.get(field, "")) for each in conditions if each.get("type") == kind), "")


def _unready(listed: Listed, why: Callable[[Mapping[str, Any]], str]) -> list[str]:
    return [f"{_name(item)} ({why(item)})" for item in listed["items"] if condition(item, "Ready") != "True"]


def _name(item: Mapping[str, Any]) -> str:
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"
