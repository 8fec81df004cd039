"""Keys are made by the real openssl: they verify, they are private, they are renewed, and nothing is made twice."""

import base64
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from cluster import openssl
from cluster.certificates import API_NAMES, AUTHORITIES, AUTHORITY_DAYS, DAYS, Keys
from cluster.openssl import Subject
from cluster.settings import RENEWED_BEFORE_SECONDS, Node
from ops import machine
from tests.cluster.support import node_in


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    node = node_in(tmp_path_factory.mktemp("node"))
    Keys(node).ensure()
    return node


def shown(certificate: Path, *what: str) -> str:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", *what]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def verifies(authority: Path, certificate: Path, purpose: str) -> bool:
    command = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", str(authority), str(certificate)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("issuer", "name"), [(issuer, name) for issuer, subjects in AUTHORITIES.items() for name in subjects]
)
def test_each_certificate_serves_its_purpose_under_its_own_authority_alone(node: Node, issuer: str, name: str):
    usages = AUTHORITIES[issuer][name].usages
    for purpose, usage in (("sslserver", "serverAuth"), ("sslclient", "clientAuth")):
        assert verifies(node.certificate(issuer), node.certificate(name), purpose) is (usage in usages)
    for other in set(AUTHORITIES) - {issuer}:
        assert not verifies(node.certificate(other), node.certificate(name), "any")


def test_the_api_server_is_known_by_every_name_it_is_called(node: Node):
    names = shown(node.certificate("kube-apiserver"), "-ext", "subjectAltName").replace("IP Address:", "IP:")
    for name in API_NAMES:
        assert name in names


def test_the_node_and_the_administrator_are_who_rbac_expects(node: Node):
    assert "O = system:nodes, CN = system:node:aihub" in shown(node.certificate("kubelet"), "-subject")
    assert "O = system:masters" in shown(node.certificate("admin"), "-subject")


def test_every_private_file_is_its_owners_alone(node: Node):
    private = [*node.pki.glob("*.key"), *node.pki.glob("*.kubeconfig"), node.pki / "encryption.yaml", node.kubeconfig]
    assert len(private) > 20
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert node.pki.stat().st_mode & 0o777 == 0o700


def test_a_second_time_nothing_is_due_and_nothing_is_made(node: Node):
    assert Keys(node).due() == []
    assert Keys(node).ensure() == []


def test_the_kubeconfig_carries_its_certificates_within(node: Node):
    found = yaml.safe_load(node.kubeconfig.read_text())
    assert found["current-context"] == "aihub-local"
    assert found["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(found["users"][0]["user"]["client-key-data"]) == node.key("admin").read_bytes()


def test_the_day_on_which_a_certificate_ends(node: Node):
    for name, days in (("kube-apiserver", DAYS), ("ca", AUTHORITY_DAYS)):
        assert openssl.end(node.certificate(name)) == pytest.approx(time.time() + days * 86400, abs=600)


def test_a_node_whose_certificates_end_within_a_month_is_told_of(node: Node, monkeypatch: pytest.MonkeyPatch):
    (fine,) = machine.certificates(node)
    assert fine.ok
    ends = time.time() + RENEWED_BEFORE_SECONDS - 60
    monkeypatch.setattr(openssl, "end", lambda path: ends if path.stem == "etcd" else ends + 10**8)
    (finding,) = machine.certificates(node)
    assert not finding.ok
    assert time.strftime("%Y-%m-%d", time.gmtime(ends)) in finding.says
    assert finding.fix.startswith("make up renews them")


def test_where_there_is_no_node_nothing_is_said_of_certificates(tmp_path: Path):
    assert machine.certificates(node_in(tmp_path)) == []


def test_near_its_end_a_certificate_is_renewed_and_what_sealed_secrets_is_kept(tmp_path: Path):
    node = node_in(tmp_path)
    Keys(node).ensure()
    before = {path.name: path.read_bytes() for path in node.pki.iterdir()}
    made = Keys(node, renewed_before_seconds=(DAYS + 1) * 86400).ensure()
    assert "kube-apiserver" in made
    assert "kubelet.kubeconfig" in made
    for kept in ("ca.crt", "ca.key", "etcd-ca.crt", "encryption.yaml", "service-accounts.key"):
        assert (node.pki / kept).read_bytes() == before[kept]


def test_a_new_authority_renews_all_it_vouched_for(tmp_path: Path):
    node = node_in(tmp_path)
    Keys(node).ensure()
    node.certificate("etcd-ca").unlink()
    assert {"etcd-ca", "etcd", "etcd-client"} == set(Keys(node).ensure())
    assert verifies(node.certificate("etcd-ca"), node.certificate("etcd"), "sslserver")


def test_an_interrupted_run_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    node, issue = node_in(tmp_path), openssl.issue

    def interrupted(subject: Subject, certificate: Path, *rest: object) -> None:
        if certificate.stem == "kube-proxy":
            raise KeyboardInterrupt
        issue(subject, certificate, *rest)

    monkeypatch.setattr(openssl, "issue", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Keys(node).ensure()
    monkeypatch.undo()
    authority = node.certificate("ca").read_bytes()
    assert "kube-proxy" in Keys(node).due()
    made = Keys(node).ensure()
    assert "kube-apiserver" not in made
    assert Keys(node).due() == []
    assert node.certificate("ca").read_bytes() == authority


def test_a_renewal_that_was_interrupted_between_key_and_certificate_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    node = node_in(tmp_path)
    Keys(node).ensure()

    def interrupted(_subject: Subject, _certificate: Path, key: Path, *_rest: object) -> None:
        key.write_text("a new key without its certificate")
        raise KeyboardInterrupt

    monkeypatch.setattr(openssl, "issue", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Keys(node, renewed_before_seconds=(DAYS + 1) * 86400).ensure()
    monkeypatch.undo()
    (due,) = Keys(node).due()
    assert Keys(node).ensure()[0] == due
    assert "PRIVATE KEY" in node.key(due).read_text()
