"""What each component is told, on an ordinary machine and on a confined one."""

import dataclasses
import json
import tomllib
from pathlib import Path

import pytest
import yaml

from cluster import settings
from cluster.components import services
from cluster.components.service import Service
from cluster.settings import Node
from tests.cluster.support import CONFINED, node_in

NODE = node_in(Path("/n"))


def named(name: str, node: Node = NODE) -> Service:
    return next(service for service in services(node) if service.name == name)


def file_of(service: Service, name: str) -> str:
    return next(text for path, text in service.files.items() if path.name == name)


def test_nothing_listens_on_every_address():
    for service in services(NODE):
        told = " ".join([*service.argv, *service.files.values()])
        assert "0.0.0.0:" not in told, service.name
        assert "::" not in told, service.name
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert "--bind-address=127.0.0.1" in named(name).argv
    etcd = [argument for argument in named("etcd").argv if "-urls=" in argument or "initial-cluster=" in argument]
    assert len(etcd) == 5
    assert all("https://127.0.0.1:" in argument for argument in etcd)


def test_nobody_is_anonymous_and_secrets_are_sealed():
    api = named("kube-apiserver").argv
    assert "--anonymous-auth=false" in api
    assert "--authorization-mode=Node,RBAC" in api
    assert "--encryption-provider-config=/n/state/pki/encryption.yaml" in api
    assert "--client-cert-auth=true" in named("etcd").argv
    kubelet = yaml.safe_load(file_of(named("kubelet"), "kubelet.yaml"))
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}
    assert kubelet["authorization"] == {"mode": "Webhook"}
    assert kubelet["readOnlyPort"] == 0


def test_the_audit_log_never_holds_a_body():
    policy = yaml.safe_load(file_of(named("kube-apiserver"), "audit.yaml"))
    assert {rule["level"] for rule in policy["rules"]} == {"None", "Metadata"}


@pytest.mark.parametrize(
    ("host", "driver", "restricted", "score"), [(None, "systemd", False, -999), (CONFINED, "cgroupfs", True, 0)]
)
def test_the_machine_decides_control_groups_and_oom_scores(host, driver, restricted, score):
    node = dataclasses.replace(NODE, host=host) if host else NODE
    kubelet = yaml.safe_load(file_of(named("kubelet", node), "kubelet.yaml"))
    assert (kubelet["cgroupDriver"], kubelet["oomScoreAdj"]) == (driver, score)
    cri = tomllib.loads(file_of(named("containerd", node), "containerd.toml"))["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["restrict_oom_score_adj"] is restricted
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is (driver == "systemd")


def test_containerd_trusts_the_registry_and_keeps_no_second_copy():
    containerd = named("containerd")
    cri = tomllib.loads(file_of(containerd, "containerd.toml"))["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["containerd"]["discard_unpacked_layers"] is True
    hosts = next(path for path in containerd.files if path.name == "hosts.toml")
    assert hosts.parent.name == "registry.local:5000"
    assert hosts.is_relative_to(cri["registry"]["config_path"])
    assert "http://registry.local:5000" in tomllib.loads(containerd.files[hosts])["host"]


def test_containerd_asks_by_tls_where_a_person_names_the_authority():
    node = dataclasses.replace(NODE, registry_ca="-----BEGIN CERTIFICATE-----\n")
    containerd = named("containerd", node)
    (told,) = tomllib.loads(file_of(containerd, "hosts.toml"))["host"].items()
    assert told == (
        "https://registry.local:5000",
        {"capabilities": ["pull", "resolve"], "ca": str(node.registry_authority)},
    )
    assert containerd.files[node.registry_authority] == node.registry_ca
    assert containerd.digest() != named("containerd").digest()


def test_what_a_person_said_of_the_registry_is_remembered_and_taken_back(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "Node", lambda: node_in(tmp_path))
    assert settings.load().registry_ca is None
    file = node_in(tmp_path).registry_authority
    file.parent.mkdir(parents=True)
    file.write_text(settings.load(registry_ca="certificate").registry_ca)
    assert settings.load().registry_ca == "certificate"
    assert settings.load(registry_ca="none").registry_ca is None


def test_builders_on_the_machine_are_told_of_plain_http_and_of_nothing_else():
    registries = tomllib.loads(settings.builder_registries("registry.local:5000"))["registry"]
    assert registries == [{"location": "registry.local:5000", "insecure": True}]
    assert "registry" not in tomllib.loads(settings.builder_registries(None))


def test_the_network_is_one_bridge_with_the_nodes_address():
    plugins = json.loads(file_of(named("containerd"), "10-aihub.conflist"))["plugins"]
    assert [plugin["type"] for plugin in plugins] == ["bridge", "portmap", "firewall"]
    assert plugins[0]["ipam"]["ranges"] == [[{"subnet": "10.244.0.0/24", "gateway": "10.244.0.1"}]]
    assert "--node-ip=10.244.0.1" in named("kubelet").argv


@pytest.mark.parametrize(
    ("expose", "addresses"), [(None, ["127.0.0.0/8"]), ("192.168.1.0/24", ["127.0.0.0/8", "192.168.1.0/24"])]
)
def test_node_ports_answer_where_they_are_told(expose, addresses):
    proxy = named("kube-proxy", dataclasses.replace(NODE, expose=expose))
    assert yaml.safe_load(file_of(proxy, "kube-proxy.yaml"))["nodePortAddresses"] == addresses


def test_a_service_is_restarted_for_what_matters_and_for_nothing_else():
    service = named("kubelet")
    assert service.digest() == named("kubelet").digest()
    path = next(iter(service.files))
    for change in ({"keys": "renewed"}, {"files": {path: "other"}}, {"argv": (*service.argv, "--v=4")}):
        assert dataclasses.replace(service, **change).digest() != service.digest()
    assert dataclasses.replace(service, stop_seconds=1).digest() == service.digest()
