"""Pods that look at a registry: one on each worker, in a namespace of their own."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.config import StackConfig
from infra.registry import look
from infra.registry.access import PULL_SECRET_TYPE, pull_secret_files, puller_of
from infra.secrets.files import fill
from infra.workload import RUN_AS

DEADLINE_SECONDS = 120
ACCOUNT, SECRET, PULL = "look", "question", "pull"
CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
Manifest = dict[str, Any]


def workers(nodes: Sequence[Manifest]) -> list[str]:
    """Return the names of the nodes that pods run on: those that are ready, without a control plane that is apart."""
    ready = [
        node
        for node in nodes
        if any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"])
        and not node.get("spec", {}).get("unschedulable")
    ]
    apart = [node for node in ready if not any(role in node["metadata"].get("labels", {}) for role in CONTROL_PLANE)]
    return sorted(str(node["metadata"]["name"]) for node in apart or ready)


def manifests(
    namespace: str, stack: StackConfig, nodes: Sequence[str], question: look.Question, known: Mapping[str, str]
) -> list[Manifest]:
    """Return the namespace, the Secret with the password, and a pod for each node.

    Args:
        namespace: name that nothing else has.
        stack: names the image of the pods, and how nodes log in for it.
        nodes: where to look from.
        question: what to ask.
        known: the stack's secrets as far as they are known here.
    """
    level = "pod-security.kubernetes.io/enforce"
    metadata: Manifest = {"name": namespace, "labels": {level: "restricted"}}
    account = puller_of(stack.registry)
    pulls = account is not None and account.key in known
    found: list[Manifest] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata},
        # A namespace's own account comes a moment after it, and pods that name none are refused until then.
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": namespace}},
        _secret(namespace, SECRET, "Opaque", {"PASSWORD": known.get("vendorRegistryPassword", "")}),
    ]
    if account and pulls:
        files = {name: fill(text, known) for name, text in pull_secret_files(account).items()}
        found.append(_secret(namespace, PULL, PULL_SECRET_TYPE, files))
    spec = _spec(stack, question, pulls=pulls)
    return found + [_pod(namespace, f"look-{number}", {"nodeName": node, **spec}) for number, node in enumerate(nodes)]


def _secret(namespace: str, name: str, kind: str, files: Mapping[str, str]) -> Manifest:
    data = {file: base64.b64encode(text.encode()).decode() for file, text in files.items()}
    metadata: Manifest = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": data}


def _pod(namespace: str, name: str, spec: Manifest) -> Manifest:
    metadata: Manifest = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": "look"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _spec(stack: StackConfig, question: look.Question, *, pulls: bool) -> Manifest:
    # The image knows the public authorities. Whether a node itself trusts the others, its first pull shows.
    variables = {"QUESTION": json.dumps(question), "AUTHORITIES": stack.network.authorities or ""}
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container: Manifest = {
        "name": "look",
        "image": stack.registry.base_image,
        "command": ["python3", "-c", Path(look.__file__).read_text()],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "envFrom": [{"secretRef": {"name": SECRET}}],
        "securityContext": security,
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "200m", "memory": "64Mi"},
        },
    }
    return {
        "serviceAccountName": ACCOUNT,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": DEADLINE_SECONDS,
        "automountServiceAccountToken": False,
        # The node's own resolver, as its container runtime uses it; the cluster's may know other names.
        "dnsPolicy": "Default",
        "tolerations": [{"operator": "Exists"}],  # nodes with a card keep others away, and pull as well
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": RUN_AS,
            "runAsGroup": RUN_AS,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "imagePullSecrets": [{"name": PULL}] if pulls else [],
        "containers": [container],
    }
