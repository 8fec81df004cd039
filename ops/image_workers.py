"""The same look at a registry from every worker: one short-lived pod each, in a namespace that goes away again."""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.config import StackConfig
from infra.registry.look import Question, Seen
from ops import access
from ops.credentials import kept
from ops.errors import OpsError
from ops.image_pods import DEADLINE_SECONDS, Manifest, manifests, workers
from ops.paths import StackPaths

PAUSE_SECONDS = 2.0
STUCK = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"})


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl, pointed at one cluster."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    context: str | None = None

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run it; its status is the caller's to judge."""
        context = ("--context", self.context) if self.context else ()
        command = [str(self.path), *context, "--request-timeout=20s", *arguments]
        return subprocess.run(
            command, env={**self.environment}, input=stdin, capture_output=True, text=True, check=False
        )

    def get(self, *arguments: str) -> list[Manifest]:
        """Return the items of a list; empty where no cluster answers."""
        done = self.run("get", *arguments, "-o", "json")
        return list(json.loads(done.stdout)["items"]) if done.returncode == 0 else []


def answers(
    paths: StackPaths, stack: StackConfig, question: Question, password: str, kubectl: Kubectl | None = None
) -> dict[str, Seen]:
    """Return node -> what the look from there answers; nothing where no cluster does.

    Raises:
        OpsError: the cluster does not take the pods.
    """
    kubectl = kubectl or _kubectl(paths)
    nodes = workers(kubectl.get("nodes")) if kubectl else []
    if not kubectl or not nodes:
        return {}
    namespace = f"aihub-look-{secrets.token_hex(3)}"
    known = {**kept(paths), "vendorRegistryPassword": password}
    asked = manifests(namespace, stack, nodes, question, known)
    try:
        done = kubectl.run("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": asked}))
        if done.returncode:
            problem = f"the cluster does not take the pods that look: {done.stderr.strip()[-400:]}"
            raise OpsError(problem, "it takes an account that may make a namespace, Secrets and pods")
        return dict(_collected(kubectl, namespace))
    finally:
        kubectl.run("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")


def _kubectl(paths: StackPaths) -> Kubectl | None:
    reach = access.of_stack(paths)
    try:
        path = access.kubectl()
    except OpsError:
        return None
    kubeconfig = {"KUBECONFIG": str(reach.kubeconfig)} if reach.kubeconfig else {}
    return Kubectl(path=path, environment={**os.environ, **kubeconfig}, context=reach.context)


def _collected(kubectl: Kubectl, namespace: str) -> Iterator[tuple[str, Seen]]:
    """Yield each node with its answer, once all have one or cannot give any."""
    until = time.monotonic() + DEADLINE_SECONDS
    pods = kubectl.get("pods", "--namespace", namespace)
    while time.monotonic() < until and any(_waits(pod) for pod in pods):
        time.sleep(PAUSE_SECONDS)
        pods = kubectl.get("pods", "--namespace", namespace)
    for pod in pods:
        logs = kubectl.run("logs", "--namespace", namespace, pod["metadata"]["name"]).stdout
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
