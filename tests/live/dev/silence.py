"""A node that goes silent, as far as one machine allows: its kubelet is away, and what it started runs on."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from cluster import settings, steps
from cluster.supervise import supervisor
from tests.live.common.kube import Manifest, apply, get, kubectl

OTHER = "elsewhere"
BEAT_SECONDS = 5


@contextmanager
def kubelet_away() -> Iterator[None]:
    """Have the node without its kubelet for so long; it runs and is well afterwards."""
    here = settings.load()
    (kubelet,) = (each for each in steps.with_keys(here) if each.name == "kubelet")
    supervisor(here).stop(kubelet.name)
    try:
        yield
    finally:
        supervisor(here).start(kubelet)
        steps.wait_healthy(kubelet, here)


@contextmanager
def another_node() -> Iterator[None]:
    """Have the API server know a second node, which says that it is well and takes no pod.

    While every node is silent Kubernetes gives no pod up: it takes the network for what is broken.
    """
    spec = {"unschedulable": True}
    apply([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": OTHER}, "spec": spec}])
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            with suppress(AssertionError):  # the API server is busy: the next beat is soon
                _beat()

    thread = threading.Thread(target=beat, daemon=True)
    try:
        _beat()
        thread.start()
        yield
    finally:
        stop.set()
        if thread.ident:
            thread.join(timeout=60)
        kubectl("delete", "node", OTHER)


def _beat() -> None:
    """Say that the second node is well, as its kubelet would."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Stands",
        "message": "there is no such machine",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    patch = json.dumps({"status": {"conditions": [ready]}})
    kubectl("patch", "node", OTHER, "--subresource=status", "--type=merge", "--patch", patch)


def node() -> Manifest:
    """Return the one node that there is."""
    found = get("node", settings.NAME, "default")
    assert found is not None
    return found


def node_is_ready() -> bool:
    """Say whether it is ready and may have pods."""
    states = {each["type"]: each["status"] for each in node()["status"]["conditions"]}
    return states["Ready"] == "True" and not node()["spec"].get("taints")


def given_up_since() -> str:
    """Return when the node was found to be so silent that its pods are given up; empty: it was not."""
    taints = node()["spec"].get("taints", [])
    return next((each["timeAdded"] for each in taints if each["effect"] == "NoExecute"), "")
