"""Argo CD's server, which takes Gitea's webhook: of the module's own program, without a page or a login."""

import urllib.error
import urllib.request
from typing import Any

from infra.ci.webhook import ArgoCdWebhook
from infra.delivery.argocd import SERVER_PORT
from tests.live.common.kube import Manifest, apply, get, kubectl
from tests.live.common.parts import ARGOCD_IMAGE

NAMESPACE, NAME = "argocd", "argocd-server"
LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "argocd"}
PASSWORD = {"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "argocd-redis", "key": "auth"}}}


def install() -> None:
    """Start it; the core is there already."""
    metadata = {"name": NAME, "namespace": NAMESPACE, "labels": LABELS}
    everything = ["create", "get", "list", "watch", "update", "patch", "delete"]
    rules = [
        {"apiGroups": [""], "resources": ["secrets", "configmaps", "events"], "verbs": everything},
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["applications", "appprojects", "applicationsets"],
            "verbs": everything,
        },
    ]
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    ports = [{"name": "http", "port": 80, "targetPort": SERVER_PORT}]
    found: list[Manifest] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": LABELS, "ports": ports}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": _pod()},
            },
        },
    ]
    apply(found)


def _pod() -> dict[str, Any]:
    container = {
        "name": "server",
        "image": ARGOCD_IMAGE,
        "imagePullPolicy": "Never",
        "args": ["/usr/local/bin/argocd-server", "--insecure"],
        "env": [PASSWORD],
        "ports": [{"containerPort": SERVER_PORT}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": SERVER_PORT}, "periodSeconds": 2},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return {
        "serviceAccountName": NAME,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def answer(webhook: ArgoCdWebhook, proof: str) -> int:
    """Return the status of the answer to a call with some proof in the header."""
    service = get("service", NAME, NAMESPACE)
    assert service is not None
    headers = {"Content-Type": "application/json", "X-Gogs-Event": "push", webhook.header: proof}
    address = f"http://{service['spec']['clusterIP']}/api/webhook"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, b"{}", headers), timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def asked(application: str) -> int:
    """Return how often it has asked for an Application to be compared, by its log."""
    log = kubectl("logs", f"deployment/{NAME}", "--namespace", NAMESPACE, "--tail=-1")
    return log.count(f"Requested app '{application}' refresh")
