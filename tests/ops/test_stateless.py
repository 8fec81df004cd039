"""Without Pulumi's state: a real API server is asked what somebody changed, and says so of nothing that nobody did."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest

from infra.ci.drift import DriftReader, DriftReaderArgs
from infra.program import deploy
from infra.recorder import Recording, record
from infra.stackfile import configuration, placeholder_secrets, record_stack
from ops.differences import stateless
from ops.differences.objects import Declared
from ops.errors import OpsError
from ops.machine import Finding
from plugins.kubernetes.cluster import ApiError, Cluster, connect
from plugins.kubernetes.settings import Settings
from tests.apiserver import ApiServer

LABELS = {"app": "web"}


def web(namespace: str) -> dict[str, Any]:
    variables = [{"name": "COLOUR", "value": "green"}, {"name": "SIZE", "value": "2"}]
    container = {"name": "web", "image": "web:1", "env": variables, "resources": {"limits": {"cpu": "1000m"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace, "labels": LABELS},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [container], "initContainers": []}},
        },
    }


@pytest.fixture
def cluster(api_server: ApiServer) -> Cluster:
    return connect(Settings(kubeconfig=str(api_server.kubeconfig)))


class Somebody:
    """A person with kubectl, and one Deployment that Pulumi applied."""

    def __init__(self, server: ApiServer, cluster: Cluster) -> None:
        self.namespace, self._kubeconfig, self._cluster = f"hand-{uuid4().hex[:8]}", str(server.kubeconfig), cluster
        metadata = {"name": self.namespace}
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, force=False)
        self.manifest = web(self.namespace)
        cluster.apply(self.manifest, force=False)

    def kubectl(self, *arguments: str) -> None:
        command = ["kubectl", "--kubeconfig", self._kubeconfig, "-n", self.namespace, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def found(self) -> Finding:
        what = f"Deployment {self.namespace}/web"
        declared = Declared(what=what, owner="Pulumi", content=self.manifest)
        (finding,) = stateless.findings(self._cluster, [declared])
        return finding


@pytest.fixture
def somebody(api_server: ApiServer, cluster: Cluster) -> Iterator[Somebody]:
    yield Somebody(api_server, cluster)


def test_nobody_did_anything(somebody: Somebody) -> None:
    somebody.kubectl("rollout", "restart", "deployment/web")  # an annotation that nobody declared
    somebody.kubectl("label", "deployment", "web", "nobodys=declared")
    assert somebody.found().ok


@pytest.mark.parametrize(
    ("by_hand", "says"),
    [
        (("scale", "deployment/web", "--replicas=5"), "spec.replicas: 2 -> 5 (by kubectl"),
        (
            ("set", "image", "deployment/web", "web=web:2"),
            "spec.template.spec.containers[web].image: web:1 -> web:2 (by kubectl-set, 20",
        ),
        (("set", "env", "deployment/web", "COLOUR=blue"), "containers[web].env[COLOUR].value: green -> blue"),
        (("set", "env", "deployment/web", "COLOUR-"), "containers[web].env[COLOUR] is gone"),
        (("label", "deployment", "web", "app-"), "metadata.labels is gone"),
        (("delete", "deployment", "web"), "is not there: removed by hand, or not deployed yet"),
    ],
)
def test_each_change_is_named(somebody: Somebody, by_hand: tuple[str, ...], says: str) -> None:
    somebody.kubectl(*by_hand)
    finding = somebody.found()
    assert not finding.ok
    assert finding.name == f"Deployment {somebody.namespace}/web"
    assert says in finding.says
    assert finding.says.count(";") == 0, "and nothing else"


def test_a_new_commit_is_no_drift_unless_it_adds(somebody: Somebody) -> None:
    somebody.manifest = json.loads(json.dumps(somebody.manifest).replace('"green"', '"blue"'))
    assert somebody.found().ok, "nobody but Pulumi wrote this field"


def test_a_whole_stack_as_it_is_declared_has_not_drifted(cluster: Cluster) -> None:
    """Nothing that the API server fills in, drops or spells otherwise is taken for somebody's doing."""
    recording = record_stack(deploy, "local")
    objects = sorted(recording.objects(), key=lambda each: each.kind != "Namespace")
    declared = [
        Declared(what=f"{each.kind} {each.namespace}/{each.object_name}", owner="Pulumi", content=each.properties)
        for each in objects
        if each.kind != "Secret"
    ]
    for each in declared:
        cluster.apply(dict(each.content), force=False)
    (finding,) = stateless.findings(cluster, declared)
    assert finding.says == f"{len(declared)} objects are as they are declared"
    assert len(declared) > 30


def test_a_job_named_by_secrets_that_this_account_lacks_is_not_looked_for() -> None:
    """The cluster was declared with the real secrets, and CI declares with placeholders."""
    real, without = (
        {each.object_name: each for each in record_with(secrets).objects() if each.kind == "Job"}
        for secrets in (dict.fromkeys(placeholder_secrets(), "real"), placeholder_secrets())
    )
    assert any("gitea-setup" in name for name in without.keys() - real.keys())
    declared = [
        Declared(what=f"Job {each.namespace}/{name}", owner="Pulumi", content=each.properties)
        for name, each in without.items()
    ]
    cluster = Mock(get=lambda manifest: getattr(real.get(manifest["metadata"]["name"]), "properties", None))
    (finding,) = stateless.findings(cluster, declared)
    assert finding.ok, finding


def record_with(secrets: dict[str, str]) -> Recording:
    return record(deploy, stack="wsl", config=configuration("wsl"), secrets=secrets)


def test_who_may_not_look_gets_no_answer(api_server: ApiServer) -> None:
    kubeconfig = api_server.kubeconfig.read_text().replace("a-token-of-tests-only", "nobody")
    stranger = connect(Settings(kubeconfig=kubeconfig))
    with pytest.raises(OpsError, match="does not accept"):
        stateless.findings(stranger, [Declared(what="Deployment a/web", owner="Pulumi", content=web("a"))])


def test_a_kubeconfig_that_is_named_goes_before_the_pods_own_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Settings] = []
    monkeypatch.setattr(stateless, "ACCOUNT", tmp_path)
    monkeypatch.setattr(stateless, "connect_to", asked.append)
    monkeypatch.setenv("KUBECONFIG", "elsewhere")
    stateless.connection("dev-meta")
    monkeypatch.delenv("KUBECONFIG")
    stateless.connection("dev-meta")
    elsewhere, here = asked
    assert (elsewhere.context, elsewhere.kubeconfig) == ("dev-meta", "")
    assert "kubernetes.default.svc" in here.kubeconfig


def test_the_account_of_the_ci_job_is_enough(somebody: Somebody, cluster: Cluster, api_server: ApiServer) -> None:
    """Real rights: it reads what is declared, compares it, and is refused a Secret."""
    reader = record(lambda: DriftReader("drift", DriftReaderArgs(namespace=somebody.namespace)), stack="test")
    for each in reader.objects():
        cluster.apply(dict(each.properties), force=True)
    command = ["kubectl", "--kubeconfig", str(api_server.kubeconfig), "-n", somebody.namespace]
    made = subprocess.run([*command, "create", "token", "drift"], check=True, capture_output=True, text=True)
    kubeconfig = api_server.kubeconfig.read_text().replace("a-token-of-tests-only", made.stdout.strip())
    account = connect(Settings(kubeconfig=kubeconfig))
    declared = Declared(what="Deployment", owner="Pulumi", content=somebody.manifest)
    assert stateless.findings(account, [declared])[0].ok
    metadata = {"name": "any", "namespace": somebody.namespace}
    with pytest.raises(ApiError, match="forbidden"):
        account.get({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
