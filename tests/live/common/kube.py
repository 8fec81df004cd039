"""kubectl, as the tests need it."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import yaml

from ops import access
from ops.kubectl import Kubectl

Manifest = dict[str, Any]
T = TypeVar("T")


def kubectl(*arguments: str, stdin: str | None = None, check: bool = True) -> str:
    """Run kubectl on the node's cluster and return what it printed."""
    command = [str(access.kubectl()), "--kubeconfig", str(access.NODE_KUBECONFIG), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300)
    if check and done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()[-1500:]}")
    return done.stdout


def node() -> Kubectl:
    """Return the way to the cluster, as the commands have it."""
    environment = {**os.environ, "KUBECONFIG": str(access.NODE_KUBECONFIG)}
    return Kubectl(program=access.kubectl(), environment=environment)


def apply(manifests: Iterable[Manifest]) -> None:
    """Apply on the server's side: some of these are too large for the annotation of the other way."""
    text = yaml.safe_dump_all(manifests, sort_keys=False)
    kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", stdin=text)


def get(kind: str, name: str, namespace: str) -> Manifest | None:
    """Return one object, or None."""
    text = kubectl("get", kind, name, "--namespace", namespace, "--output", "json", "--ignore-not-found")
    return dict(json.loads(text)) if text.strip() else None


def listed(kind: str, namespace: str, selector: str = "") -> list[Manifest]:
    """Return all objects of a kind, newest last."""
    chosen = ["--selector", selector] if selector else []
    text = kubectl("get", kind, "--namespace", namespace, "--output", "json", *chosen)
    return sorted(json.loads(text)["items"], key=lambda item: str(item["metadata"]["creationTimestamp"]))


def until(what: str, ask: Callable[[], T | None], seconds: float, pause: float = 1.0) -> T:
    """Ask until there is an answer.

    Raises:
        AssertionError: there is none in time.
    """
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        time.sleep(pause)
    return answer


def rolled_out(kind: str, name: str, namespace: str, seconds: int) -> None:
    """Wait for a Deployment or StatefulSet."""
    kubectl("rollout", "status", f"{kind}/{name}", "--namespace", namespace, f"--timeout={seconds}s")
