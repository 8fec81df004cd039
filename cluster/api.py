"""The few requests that the node's own commands make to its API server."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from cluster import NodeError, addons, dns
from cluster.components.service import HttpHealth
from cluster.health import TIMEOUT_SECONDS, context
from cluster.settings import API_PORT, NAME, Node

Say = Callable[[str], None]
READY_TIMEOUT_SECONDS = 240.0
POLL_SECONDS = 0.5


def get(node: Node, path: str) -> dict[str, Any]:
    """Return an object by its API path.

    Raises:
        OSError: there is no such object, or no answer.
    """
    check = HttpHealth(
        url=f"https://127.0.0.1:{API_PORT}{path}",
        authority=node.certificate("ca"),
        certificate=node.certificate("admin"),
    )
    with urllib.request.urlopen(check.url, timeout=TIMEOUT_SECONDS, context=context(check)) as answer:  # noqa: S310 - a constant of ours
        return dict(json.load(answer))


def not_ready(node: Node) -> str | None:
    """Return what the cluster still lacks, in one line; None: the node is ready and cluster DNS answers."""
    try:
        conditions = get(node, f"/api/v1/nodes/{NAME}")["status"].get("conditions", [])
        ready = next((found for found in conditions if found["type"] == "Ready"), {"status": "Unknown"})
    except OSError as error:
        return str(error)
    if ready["status"] != "True":
        return f"node: {ready.get('message', 'not ready')}"
    # Right after a start the API still tells of the last run's pods; an answer from one of them does not lie.
    return dns.trouble()


def wait_ready(node: Node, say: Say) -> None:
    """Wait until :func:`not_ready` has nothing to say, and say what is waited for as it changes.

    Raises:
        NodeError: it took too long.
    """
    deadline, said = time.monotonic() + READY_TIMEOUT_SECONDS, ""
    while trouble := not_ready(node):
        if time.monotonic() > deadline:
            raise NodeError(f"the node is not ready: {trouble}", f"see {node.log / 'kubelet.log'}")
        if trouble != said:
            say(f"waiting: {trouble}")
            said = trouble
        time.sleep(POLL_SECONDS)


def apply_addons(node: Node) -> None:
    """Apply the cluster's addons.

    Raises:
        NodeError: the API server refused one.
    """
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": addons.manifests()})
    options = ["--server-side", "--force-conflicts", "--field-manager=aihub-node", "--filename=-"]
    command = [str(node.binaries / "kubectl"), f"--kubeconfig={node.kubeconfig}", "apply", *options]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NodeError(f"the cluster's addons: {done.stderr.strip()[-600:]}", "sudo python3 -m cluster status")
