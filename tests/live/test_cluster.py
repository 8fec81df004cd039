"""The node under stack ``local``: what it promises to workloads, and how it bears being hurt.

Whatever these make goes with their namespace, and the stack's pods are ready when the last has ended: files run in the
order of their names, and ``test_local.py``, which ends with taking the node away, comes next.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from cluster import node, settings
from cluster.images import REGISTRY_IMAGE
from tests.live.conftest import Installation

pytestmark = pytest.mark.live

TIMEOUT_SECONDS = 180
"""Two other parts of `make test` run beside these."""
CALM_SECONDS = 15
RUNNING = "--field-selector=status.phase=Running"


@pytest.fixture(scope="module")
def here(installation: Installation) -> settings.Node:
    return settings.load()


Kubectl = Callable[..., str]


@pytest.fixture(scope="module")
def kubectl(here: settings.Node) -> Kubectl:
    def run(*arguments: str, stdin: str | None = None) -> str:
        command = [str(here.binaries / "kubectl"), f"--kubeconfig={here.kubeconfig}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace that enforces Pod Security `restricted`, with one pod that writes to a claimed volume."""
    name = f"node-test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    try:
        kubectl("apply", "--namespace", name, "--filename=-", stdin=yaml.safe_dump_all(manifests()))
        kubectl("--namespace", name, "wait", "--for=condition=Ready", "pod/server", f"--timeout={TIMEOUT_SECONDS}s")
        yield name
    finally:
        kubectl("delete", "namespace", name, f"--timeout={TIMEOUT_SECONDS}s")


def manifests() -> list[dict[str, object]]:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    container = {
        "name": "server",
        "image": REGISTRY_IMAGE,
        "imagePullPolicy": "Never",
        "ports": [{"containerPort": 5000}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"limits": {"memory": "64Mi", "cpu": "500m"}},
        "readinessProbe": {"httpGet": {"path": "/v2/", "port": 5000}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod = {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    service = {"type": "NodePort", "selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 5000}]}
    return [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "server", "labels": {"app": "server"}},
            "spec": pod,
        },
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "server"}, "spec": service},
    ]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)


def unready(kubectl: Kubectl) -> list[str]:
    """Return the running pods that are not ready."""
    pods = json.loads(kubectl("get", "pods", "-A", RUNNING, "-o", "json"))["items"]
    return [
        pod["metadata"]["name"]
        for pod in pods
        if not any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])
    ]


def wait_until_calm(kubectl: Kubectl) -> None:
    """Wait until every pod has been ready for a while: a kubelet that starts anew doubts each until it has asked it."""
    since = time.monotonic()
    deadline = since + TIMEOUT_SECONDS
    while time.monotonic() < since + CALM_SECONDS:
        if doubted := unready(kubectl):
            assert time.monotonic() < deadline, doubted
            since = time.monotonic()
        time.sleep(1)


def status_of(url: str) -> int | None:
    """Return the HTTP status; None: no connection."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def own_address() -> str | None:
    """Return the address by which this machine reaches others; None: it reaches none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        return str(probe.getsockname()[0])


def test_up_has_nothing_to_do_and_says_so(here: settings.Node):
    assert node.plan(here) == []


def test_a_restricted_pod_writes_to_its_volume_as_its_user(here: settings.Node, kubectl: Kubectl, namespace: str):
    shown = kubectl("-n", namespace, "exec", "server", "--", "sh", "-c", "id -u && echo kept > /data/x && id -u")
    assert shown.split() == ["10001", "10001"]
    (folder,) = here.volumes.glob(f"{namespace}-data-*")
    assert (folder / "x").read_text() == "kept\n"
    assert folder.stat().st_gid == 10001
    assert folder.stat().st_mode & 0o007 == 0


def test_names_are_resolved_inside_and_outside(kubectl: Kubectl, namespace: str):
    for name in ("kubernetes.default.svc.cluster.local", f"server.{namespace}", "kubernetes.default"):
        assert kubectl("-n", namespace, "exec", "server", "--", "getent", "hosts", name).startswith("10.96.")


def test_a_pod_reaches_the_api_server(kubectl: Kubectl, namespace: str):
    script = (
        "import ssl,urllib.request as r,urllib.error as e\n"
        "p='/var/run/secrets/kubernetes.io/serviceaccount/'\n"
        "c=ssl.create_default_context(cafile=p+'ca.crt')\n"
        "h={'Authorization':'Bearer '+open(p+'token').read()}\n"
        "q=r.Request('https://kubernetes.default.svc/version',headers=h)\n"
        "print(r.urlopen(q,context=c).status)"
    )
    assert kubectl("-n", namespace, "exec", "server", "--", "python3", "-c", script) == "200\n"


def test_a_node_port_answers_on_loopback_alone(kubectl: Kubectl, namespace: str):
    port = kubectl("-n", namespace, "get", "service", "server", "-o", "jsonpath={.spec.ports[0].nodePort}")
    wait_for(lambda: status_of(f"http://127.0.0.1:{port}/v2/") == 200)
    if address := own_address():
        assert status_of(f"http://{address}:{port}/v2/") is None
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((address, settings.API_PORT), timeout=2)


def test_nobody_is_let_in_without_a_certificate(here: settings.Node):
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", str(here.certificate("ca"))]
    for url in (
        "https://127.0.0.1:6443/readyz",
        "https://127.0.0.1:6443/api/v1/secrets",
        "https://10.244.0.1:10250/pods",
    ):
        assert subprocess.run([*command, url], capture_output=True, text=True, check=False).stdout == "401", url
    etcd = f"https://127.0.0.1:{settings.ETCD_PORT}/health"
    trusting = [*command[:-1], str(here.certificate("etcd-ca")), etcd]
    assert subprocess.run(trusting, capture_output=True, check=False).returncode != 0
    assert here.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_a_secret_is_not_readable_in_etcds_files(here: settings.Node, kubectl: Kubectl, namespace: str):
    canary, open_canary = secrets.token_hex(16), secrets.token_hex(16)
    kubectl("-n", namespace, "create", "secret", "generic", "canary", f"--from-literal=key={canary}")
    kubectl("-n", namespace, "create", "configmap", "canary", f"--from-literal=key={open_canary}")

    def found(text: str) -> bool:
        # A Secret's data are bytes in etcd's records, so that plain text would show as it is.
        command = ["grep", "--recursive", "--quiet", "--binary-files=text", text, str(here.state / "etcd")]
        return subprocess.run(command, check=False).returncode == 0

    wait_for(lambda: found(open_canary))
    assert not found(canary)


def test_the_data_go_with_the_claim(here: settings.Node, kubectl: Kubectl, namespace: str):
    claim = {**manifests()[0], "metadata": {"name": "short-lived"}}
    kubectl("apply", "-n", namespace, "--filename=-", stdin=json.dumps(claim))
    wait_for(lambda: list(here.volumes.glob(f"{namespace}-short-lived-*")))
    kubectl("-n", namespace, "delete", "persistentvolumeclaim", "short-lived")
    wait_for(lambda: not list(here.volumes.glob(f"{namespace}-short-lived-*")))


def test_a_killed_component_comes_back_and_the_pods_do_not_notice(
    here: settings.Node, kubectl: Kubectl, namespace: str
):
    if here.host.systemd:
        pytest.skip("systemd's restarts are systemd's own to test")
    containers = ("get", "pods", "-A", RUNNING, "-o", "jsonpath={.items[*].status.containerStatuses[*].containerID}")
    started = kubectl(*containers)
    assert len(started.split()) > 4, "those of the stack, too"
    for name in ("containerd", "kubelet", "kube-apiserver"):
        os.kill(json.loads(Path(here.run, "services", f"{name}.child").read_text())["pid"], signal.SIGKILL)
    wait_for(lambda: all(state.ok for state in node.status(here)))
    wait_for(lambda: node.plan(here) == [])
    wait_until_calm(kubectl)
    assert kubectl(*containers) == started
