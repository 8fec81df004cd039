"""Why an object is not ready: what its pods and the cluster's events say."""

from collections.abc import Iterator

from plugins.kubernetes.cluster import Cluster, Manifest
from plugins.protocol.provider import ProviderError

LOG_LINES = 10
PODS_SHOWN = 3
_UNREMARKABLE = ("ContainerCreating", "PodInitializing", "Completed")


def problems(live: Manifest, cluster: Cluster) -> list[str]:
    """Return what keeps an object from being ready, worst first; empty when nothing is known."""
    try:
        unready = [pod for pod in pods_of(live, cluster) if not _settled(pod)]
        found = [f"pod {pod['metadata']['name']}: {each}" for pod in unready for each in pod_problems(pod)]
        for each in (*unready[:PODS_SHOWN], live):
            found += [text for text in _warnings(each, cluster) if text not in found]
    except ProviderError:
        return []
    return found[: PODS_SHOWN * 2]


def pods_of(live: Manifest, cluster: Cluster) -> list[Manifest]:
    """Return the pods that belong to a workload by its selector; a pod is its own."""
    if live["kind"] == "Pod":
        return [live]
    selector = live.get("spec", {}).get("selector")
    labels = selector.get("matchLabels") if isinstance(selector, dict) else None
    if not labels:
        return []
    wanted = ",".join(f"{key}={value}" for key, value in labels.items())
    return cluster.list("v1", "Pod", live["metadata"]["namespace"], labels=wanted)


def _settled(pod: Manifest) -> bool:
    status = pod.get("status", {})
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or [])
    return ready or status.get("phase") == "Succeeded" or "deletionTimestamp" in pod["metadata"]


def pod_problems(pod: Manifest) -> Iterator[str]:
    """Yield what a pod's own status says: unschedulable, an image that cannot be pulled, a container that fails."""
    status = pod.get("status", {})
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield f"{condition.get('reason')}: {condition.get('message')}"
    for container in (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or []):
        waiting = container.get("state", {}).get("waiting") or {}
        ended = (container.get("state", {}).get("terminated") or {}) or (
            container.get("lastState", {}).get("terminated") or {}
        )
        if waiting.get("reason") and waiting["reason"] not in _UNREMARKABLE:
            message = waiting.get("message", "")
            yield f"container {container['name']}: {waiting['reason']}" + (f": {message}" if message else "")
        if ended and ended.get("exitCode"):
            yield f"container {container['name']}: ended with exit code {ended['exitCode']} ({ended.get('reason')})"


def last_log_lines(live: Manifest, cluster: Cluster) -> list[str]:
    """Return the end of the logs of containers that ended badly, each line with its pod."""
    lines: list[str] = []
    try:
        pods = pods_of(live, cluster)
    except ProviderError:
        return lines
    for pod in pods:
        status = pod.get("status", {})
        for container in (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or []):
            now = (container.get("state", {}).get("terminated") or {}).get("exitCode")
            before = (container.get("lastState", {}).get("terminated") or {}).get("exitCode")
            if not (now or before) or len(lines) >= LOG_LINES * PODS_SHOWN:
                continue
            metadata = pod["metadata"]
            text = cluster.logs(metadata["namespace"], metadata["name"], container["name"], LOG_LINES, previous=not now)
            lines += [f"{metadata['name']}/{container['name']} | {line}" for line in text.splitlines()]
    return lines


def _warnings(live: Manifest, cluster: Cluster) -> list[str]:
    metadata = live["metadata"]
    fields = f"involvedObject.uid={metadata['uid']},type=Warning"
    events = cluster.list("v1", "Event", metadata.get("namespace", "default"), fields=fields)
    events.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    # These repeat what the container's status says, without its reason.
    told = [event for event in events if not _is_echo(event)] or events
    return [f"{event.get('reason')}: {event.get('message')}" for event in told[-1:]]


def _is_echo(event: Manifest) -> bool:
    return event.get("reason") in ("BackOff", "Unhealthy") or str(event.get("message")).startswith("Error: ")
