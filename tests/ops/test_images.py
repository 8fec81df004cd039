"""`make images`: what each place sees, said place by place; workers look by pods that really run the same file."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.config import StackConfig, parse
from infra.config.vendor_images import VendorImagesConfig
from infra.registry.look import Question, Seen
from ops.errors import OpsError
from ops.images import report
from ops.kubectl import Kubectl
from ops.looks.pods import manifests, workers
from ops.looks.workers import answers
from ops.paths import StackPaths
from tests.apiserver import BINARIES, DELETING, ApiServer, missing
from tests.infra.registry.registries import ACCOUNT, DIGEST, PASSWORD, Certificates, token_registry
from tests.stacks.test_apiserver import apply, connect

HARBOR = {"host": "harbor.example.com", "project": "chat", "baseImage": "harbor.example.com/proxy/python:3.11.14"}
OLD = "sha256:" + "0" * 64
TAG = "enai/prod/backend:latest"


def stack(network: dict[str, Any] | None = None, **registry: Any) -> StackConfig:
    return parse(
        {
            "storage": {"class": "longhorn"},
            "chat": {"exposure": {"host": "chat.example.com"}},
            "registry": {**HARBOR, **registry},
            "network": network or {},
        }
    )


def vendor(digest: str = "") -> VendorImagesConfig:
    source = f"{TAG}@{digest}" if digest else TAG
    images = [{"source": source, "target": "aipp/backend:v1.0.0"}]
    return VendorImagesConfig.model_validate({"host": "registry.example.com:10003", "images": images})


def fine(digest: str = DIGEST) -> Seen:
    return {"step": "", "says": "answers, and 1 images can be pulled", "digests": {TAG: [digest]}}


def test_every_place_is_said_with_its_step_and_its_fix() -> None:
    blocked: Seen = {"step": "route", "says": "10.0.0.1 port 10003 does not answer within 10 s", "digests": {}}
    said = report(vendor(), {"this machine": fine(), "worker-1": blocked}).splitlines()
    assert said[0] == "registry.example.com:10003"
    assert said[1] == "  ok    this machine         answers, and 1 images can be pulled"
    assert said[2] == "  LACK  worker-1             route: 10.0.0.1 port 10003 does not answer within 10 s"
    assert "have the firewall let this place reach" in said[3]


@pytest.mark.parametrize(
    ("known", "seen", "state"),
    [
        ("", fine(), "write this source into the stack file"),
        (DIGEST, fine(), "as in the stack file"),
        (OLD, fine(), "MOVED since then"),
        (OLD, {"step": "name", "says": "", "digests": {}}, "not seen from anywhere"),
    ],
)
def test_what_a_tag_means_today_is_printed_to_be_written_down(known: str, seen: Seen, state: str) -> None:
    *_, first, source = report(vendor(known), {"this machine": seen}).splitlines()
    assert first.startswith("  aipp/backend:v1.0.0")
    assert state in first
    assert source == f"    source: {TAG}" + (f"@{DIGEST}" if seen["digests"] else "")


def node(name: str, ready: bool = True, role: str = "worker") -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    labels = {f"node-role.kubernetes.io/{role}": "true"}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status}


def test_workers_are_ready_and_no_control_plane_unless_there_is_nothing_else() -> None:
    plane = node("plane", role="control-plane")
    assert workers([plane, node("b"), node("a"), node("broken", ready=False)]) == ["a", "b"]
    assert workers([plane]) == ["plane"]


QUESTION: Question = {"registry": "registry.example.com:10003", "username": ACCOUNT, "images": [TAG]}


def test_a_pod_for_each_worker_with_the_rights_of_none() -> None:
    known = {"vendorRegistryPassword": PASSWORD}
    made = manifests("aihub-look-1", stack(), ["a", "b"], QUESTION, known)
    pods = [each for each in made if each["kind"] == "Pod"]
    assert [pod["spec"]["nodeName"] for pod in pods] == ["a", "b"]
    assert [each["kind"] for each in made[:3]] == ["Namespace", "ServiceAccount", "Secret"]
    assert made[0]["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert PASSWORD not in json.dumps(pods)
    # A node's container runtime asks the node's resolver, not the cluster's.
    assert {pod["spec"]["dnsPolicy"] for pod in pods} == {"Default"}


def test_the_pods_image_is_pulled_as_nodes_pull() -> None:
    harbor = {"projects": {"chat": {"quotaGib": 10}}}
    known = {"harborPullPassword": "its", "vendorRegistryPassword": ""}
    made = manifests("aihub-look-1", stack(harbor=harbor), ["a"], QUESTION, known)
    (pull,) = (each for each in made if each.get("type") == "kubernetes.io/dockerconfigjson")
    assert made[-1]["spec"]["imagePullSecrets"] == [{"name": pull["metadata"]["name"]}]
    without = manifests("aihub-look-1", stack(harbor=harbor), ["a"], QUESTION, {})
    assert without[-1]["spec"]["imagePullSecrets"] == []


@dataclass(frozen=True, kw_only=True)
class Cluster(Kubectl):
    """A cluster with two workers: a pod of the first really runs, the image of the second cannot be pulled."""

    took: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    refuses: str = ""

    def run(
        self, *arguments: str, stdin: str = "", seconds: float | None = None, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        match arguments:
            case ("get", "nodes", *_):
                return self._says({"items": [node("worker-1"), node("worker-2")]})
            case ("apply", *_):
                self.took.extend(json.loads(stdin)["items"])
                return subprocess.CompletedProcess([], 1 if self.refuses else 0, "", self.refuses)
            case ("get", "pods", *_):
                return self._says({"items": [self._state(pod) for pod in self._pods()]})
            case ("logs", "--namespace", _, "look-0", *_):
                return self._runs(self._pods()[0])
            case ("delete", "namespace", namespace, *_):
                self.deleted.append(namespace)
        return subprocess.CompletedProcess([], 0, "", "")

    def _says(self, answer: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, json.dumps(answer), "")

    def _pods(self) -> list[dict[str, Any]]:
        return [each for each in self.took if each["kind"] == "Pod"]

    def _state(self, pod: dict[str, Any]) -> dict[str, Any]:
        waiting = {"reason": "ErrImagePull", "message": "not found"}
        pending = {"phase": "Pending", "containerStatuses": [{"state": {"waiting": waiting}}]}
        return {**pod, "status": {"phase": "Succeeded"} if pod["spec"]["nodeName"] == "worker-1" else pending}

    def _runs(self, pod: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        (container,) = pod["spec"]["containers"]
        variables = {each["name"]: each["value"] for each in container["env"]}
        command = [sys.executable, *container["command"][1:]]
        environment = {**variables, "PASSWORD": PASSWORD}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    monkeypatch.setattr(StackPaths, "directory", property(lambda _: folder))
    return StackPaths("dev")


def test_workers_answer_for_themselves_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = Certificates.made_in(tmp_path)
    cluster, other = (Cluster(program=Path("kubectl"), environment={}) for _ in range(2))
    whole = stack(network={"authorities": certificates.authority.read_text()})
    with token_registry(certificates) as port:
        asked: Question = {**QUESTION, "registry": f"localhost:{port}"}
        found = answers(paths(tmp_path, monkeypatch), whole, asked, PASSWORD, cluster)
        assert answers(paths(tmp_path, monkeypatch), stack(), asked, PASSWORD, other)["worker-1"]["step"] == "tls"
    assert found["worker-1"] == {**fine(), "digests": {TAG: [DIGEST]}}
    assert (found["worker-2"]["step"], found["worker-2"]["says"]) == (
        "pod",
        "the pod that looks gave no answer: ErrImagePull: not found",
    )
    assert cluster.deleted == [cluster.took[0]["metadata"]["name"]]


def test_a_cluster_that_refuses_is_said_and_left_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(program=Path("kubectl"), environment={}, refuses="pods is forbidden")
    with pytest.raises(OpsError, match="pods is forbidden"):
        answers(paths(tmp_path, monkeypatch), stack(), QUESTION, "", cluster)
    assert len(cluster.deleted) == 1


def test_a_real_api_server_takes_the_pods_and_loses_them_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under Pod Security `restricted`; nothing runs them there, so the answer is that there is none."""
    kubectl = shutil.which("kubectl") or shutil.which("kubectl", path=str(BINARIES))
    if reason := missing() or ("" if kubectl else "no kubectl"):
        pytest.skip(reason)
    monkeypatch.setattr("ops.looks.workers.DEADLINE_SECONDS", 1)
    with ApiServer(controllers=DELETING) as server:
        client = connect(str(server.kubeconfig))
        apply(client, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}})
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        nodes = client.resources.get(api_version="v1", kind="Node")
        nodes.status.patch(name="worker-1", body={"status": ready}, content_type="application/merge-patch+json")
        environment = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
        cluster = Kubectl(program=Path(str(kubectl)), environment=environment)
        found = answers(paths(tmp_path, monkeypatch), stack(), QUESTION, PASSWORD, cluster)
        assert found["worker-1"]["step"] == "pod"
        namespaces = [each["metadata"] for each in cluster.get("namespaces")["items"]]
    kept = [each["name"] for each in namespaces if "deletionTimestamp" not in each]
    assert not [name for name in kept if name.startswith("aihub-look")]
