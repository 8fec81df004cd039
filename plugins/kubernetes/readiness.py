"""When an object counts as ready, kind by kind: what the vendor's plugin waits for, as functions of the live object."""

from collections.abc import Callable
from dataclasses import dataclass

from plugins.kubernetes.cluster import Cluster, Manifest
from plugins.kubernetes.objects import group_of

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """How far an object is."""

    waits_for: str = ""
    """What is missing, as the end of "waiting for ..."; empty: ready."""
    failed: str = ""
    """Why it never will be ready; empty: it still may."""


READY = Readiness()
Check = Callable[[Manifest, Cluster], Readiness]


def _condition(live: Manifest, name: str) -> Manifest:
    conditions = live.get("status", {}).get("conditions") or []
    found: list[Manifest] = [each for each in conditions if each["type"] == name]
    return found[0] if found else {}


def _holds(live: Manifest, name: str) -> bool:
    return _condition(live, name).get("status") == "True"


def _unseen(live: Manifest) -> bool:
    observed: int = live.get("status", {}).get("observedGeneration", 0)
    generation: int = live["metadata"].get("generation", 0)
    return observed < generation


def _pods(ready: int, wanted: int) -> Readiness:
    return Readiness(waits_for=f"{wanted} pods: {ready} ready")


def deployment(live: Manifest) -> Readiness:
    """Every replica is of the new revision and available, and the old ones are gone."""
    if _unseen(live):
        return Readiness(waits_for="the deployment controller")
    progressing = _condition(live, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Readiness(waits_for="its pods", failed=f"the rollout made no progress: {progressing.get('message')}")
    wanted = live["spec"].get("replicas", 1)
    status = live.get("status", {})
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        return Readiness(waits_for=f"{wanted} pods of the new revision: {updated} made")
    if total > updated:
        return Readiness(waits_for=f"{total - updated} old pods to end")
    return READY if available >= updated else _pods(available, wanted)


def stateful_set(live: Manifest) -> Readiness:
    """Every replica is ready; with rolling updates, also of the new revision."""
    if _unseen(live):
        return Readiness(waits_for="the stateful set controller")
    spec, status = live["spec"], live.get("status", {})
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    strategy = spec.get("updateStrategy", {})
    if ready != wanted:
        return _pods(ready, wanted)
    if strategy.get("type") == "OnDelete":
        return READY
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    updated = status.get("updatedReplicas", 0)
    if status.get("updateRevision") != status.get("currentRevision") and updated < wanted - partition:
        return Readiness(waits_for=f"{wanted - partition} pods of the new revision: {updated} ready")
    return READY


def daemon_set(live: Manifest) -> Readiness:
    """Every node that should run it has an available pod of the new revision."""
    if _unseen(live):
        return Readiness(waits_for="the daemon set controller")
    status = live.get("status", {})
    wanted = status.get("desiredNumberScheduled", 0)
    if live["spec"].get("updateStrategy", {}).get("type") != "OnDelete":
        updated = status.get("updatedNumberScheduled", 0)
        if updated < wanted:
            return Readiness(waits_for=f"{wanted} pods of the new revision: {updated} made")
    available = status.get("numberAvailable", 0)
    return READY if available >= wanted else _pods(available, wanted)


def job(live: Manifest) -> Readiness:
    """It completed."""
    if _holds(live, "Complete"):
        return READY
    failure = _condition(live, "Failed")
    if failure.get("status") == "True":
        return Readiness(waits_for="its end", failed=f"the job failed: {failure.get('message') or failure['reason']}")
    status = live.get("status", {})
    return Readiness(waits_for=f"its end ({status.get('active', 0)} pods active, {status.get('failed', 0)} failed)")


def pod(live: Manifest) -> Readiness:
    """It is ready, or ran to its end well."""
    phase = live.get("status", {}).get("phase")
    if phase == "Succeeded" or _holds(live, "Ready"):
        return READY
    if phase == "Failed":
        return Readiness(waits_for="its containers", failed=f"the pod failed: {live['status'].get('message', '')}")
    return Readiness(waits_for=f"its containers (phase {phase})")


def service(live: Manifest, cluster: Cluster) -> Readiness:
    """A pod behind it is ready; a load balancer has its address. Headless and selectorless ones are ready at once."""
    spec, metadata = live["spec"], live["metadata"]
    if spec.get("type") == "ExternalName" or not spec.get("selector"):
        return READY
    if spec.get("clusterIP") != "None":
        label = f"kubernetes.io/service-name={metadata['name']}"
        slices = cluster.list("discovery.k8s.io/v1", "EndpointSlice", metadata["namespace"], labels=label)
        # An absent condition means ready (API reference of EndpointConditions).
        ready = any(
            (endpoint.get("conditions") or {}).get("ready") is not False
            for each in slices
            for endpoint in each.get("endpoints") or []
        )
        if not ready:
            return Readiness(waits_for="a ready pod that its selector matches")
    if spec.get("type") == "LoadBalancer":
        return _load_balancer(live)
    return READY


def ingress(live: Manifest) -> Readiness:
    """Its controller gave it an address."""
    return _load_balancer(live)


def _load_balancer(live: Manifest) -> Readiness:
    if live.get("status", {}).get("loadBalancer", {}).get("ingress"):
        return READY
    return Readiness(waits_for="the address of its load balancer")


def volume_claim(live: Manifest, cluster: Cluster) -> Readiness:
    """It is bound, or its class binds it only when a pod needs it."""
    phase = live.get("status", {}).get("phase")
    if phase == "Bound":
        return READY
    if phase == "Lost":
        return Readiness(waits_for="its volume", failed="the claim's volume is gone")
    if _binding_mode(live, cluster) == "WaitForFirstConsumer":
        return READY
    return Readiness(waits_for="a volume")


def _binding_mode(live: Manifest, cluster: Cluster) -> str:
    wanted = live["spec"].get("storageClassName")
    for each in cluster.list("storage.k8s.io/v1", "StorageClass", ""):
        annotations = each["metadata"].get("annotations") or {}
        if each["metadata"]["name"] == wanted or (wanted is None and annotations.get(_DEFAULT_CLASS) == "true"):
            return str(each.get("volumeBindingMode", ""))
    return ""


def volume(live: Manifest) -> Readiness:
    """It can be claimed, or is."""
    available = live.get("status", {}).get("phase") in ("Available", "Bound")
    return READY if available else Readiness(waits_for="it to become available")


def custom_resource_definition(live: Manifest) -> Readiness:
    """The API server serves it."""
    if _holds(live, "Established"):
        return READY
    return Readiness(waits_for="the API server to serve it")


def _alone(check: Callable[[Manifest], Readiness]) -> Check:
    return lambda live, _: check(live)


CHECKS: dict[tuple[str, str], Check] = {
    ("apps", "Deployment"): _alone(deployment),
    ("apps", "StatefulSet"): _alone(stateful_set),
    ("apps", "DaemonSet"): _alone(daemon_set),
    ("batch", "Job"): _alone(job),
    ("", "Pod"): _alone(pod),
    ("", "Service"): service,
    ("networking.k8s.io", "Ingress"): _alone(ingress),
    ("", "PersistentVolumeClaim"): volume_claim,
    ("", "PersistentVolume"): _alone(volume),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _alone(custom_resource_definition),
}
"""Kinds that are waited for; every other is ready once it exists."""


def check_for(manifest: Manifest) -> Check | None:
    """Return the function that tells whether such an object is ready, if there is anything to wait for."""
    return CHECKS.get((group_of(manifest["apiVersion"]), manifest["kind"]))
