"""The same look at a registry from every worker: one short-lived pod each, in a namespace that goes away again."""

import json
import secrets
import time
from collections.abc import Iterator

from infra.config import StackConfig
from infra.registry.look import Question, Seen
from ops.credentials import kept
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.looks.pods import DEADLINE_SECONDS, Manifest, manifests, workers
from ops.paths import StackPaths

PAUSE_SECONDS = 2.0
PATIENCE = "--request-timeout=20s"
STUCK = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"})


def answers(
    paths: StackPaths, stack: StackConfig, question: Question, password: str, kubectl: Kubectl
) -> dict[str, Seen]:
    """Return node -> what the look from there answers; nothing where no cluster does.

    Raises:
        OpsError: the cluster does not take the pods.
    """
    nodes = workers(_listed(kubectl, "nodes"))
    if not nodes:
        return {}
    namespace = f"aihub-look-{secrets.token_hex(3)}"
    known = {**kept(paths), "vendorRegistryPassword": password}
    asked = manifests(namespace, stack, nodes, question, known)
    try:
        whole = {"apiVersion": "v1", "kind": "List", "items": asked}
        done = kubectl.run("apply", "-f", "-", PATIENCE, stdin=json.dumps(whole))
        if done.returncode:
            problem = f"the cluster does not take the pods that look: {done.stderr.strip()[-400:]}"
            raise OpsError(problem, "it takes an account that may make a namespace, Secrets and pods")
        return dict(_collected(kubectl, namespace))
    finally:
        kubectl.run("delete", "namespace", namespace, "--wait=false", "--ignore-not-found", PATIENCE)


def _listed(kubectl: Kubectl, *arguments: str) -> list[Manifest]:
    """Return the items of a list; empty where no cluster answers."""
    done = kubectl.run("get", *arguments, "-o", "json", PATIENCE)
    return list(json.loads(done.stdout)["items"]) if done.returncode == 0 else []


def _collected(kubectl: Kubectl, namespace: str) -> Iterator[tuple[str, Seen]]:
    """Yield each node with its answer, once all have one or cannot give any."""
    until = time.monotonic() + DEADLINE_SECONDS
    pods = _listed(kubectl, "pods", "--namespace", namespace)
    while time.monotonic() < until and any(_waits(pod) for pod in pods):
        time.sleep(PAUSE_SECONDS)
        pods = _listed(kubectl, "pods", "--namespace", namespace)
    for pod in pods:
        logs = kubectl.run("logs", "--namespace", namespace, pod["metadata"]["name"], PATIENCE).stdout
        yield (
            str(pod["spec"]["nodeName"]),
            _answer(logs)
            or {
                "step": "pod",
                "says": f"the pod that looks gave no answer: {_why(pod) or logs[-200:]}",
                "digests": {},
            },
        )


def _answer(logs: str) -> Seen | None:
    """Return what a pod printed; None where that is no answer."""
    try:
        found: Seen = json.loads(logs)
    except ValueError:
        return None
    return found


def _waits(pod: Manifest) -> bool:
    return pod["status"].get("phase") not in ("Succeeded", "Failed") and not _why(pod)


def _why(pod: Manifest) -> str:
    """Return why a pod will not start; empty where it may still."""
    status = pod["status"]
    for container in status.get("containerStatuses") or ():
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in STUCK:
            return f"{waiting['reason']}: {waiting.get('message', '')[:300]}"
    return str(status.get("message", "")) if status.get("phase") == "Failed" else ""
