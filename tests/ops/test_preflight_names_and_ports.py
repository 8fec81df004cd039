"""One name means one registry everywhere, and the node's ports are free or ours."""

import socket
import struct
from typing import Any

import pytest

from infra.plan import Flow
from ops.preflight import names, ports
from ops.preflight.reader import Ran, answered
from tests.ops.preflight_machine import Answers, resource, stack

GETENT = "192.168.1.5     STREAM registry.local\n192.168.1.5     DGRAM  \n192.168.1.5     RAW    \n"
DNS = {
    "services": [{"metadata": {"namespace": "kube-system", "name": "kube-dns"}, "spec": {"clusterIP": "10.96.0.10"}}]
}
BUILDS = (Flow(source="builder", target="registry", port=5000, reason="pushes"),)


def answers(node: str = GETENT, pods: str | None = "192.168.1.5", own: str = "172.20.1.2 10.244.0.1") -> Answers:
    return Answers(
        commands={"getent": Ran(0 if node else 2, node), "hostname": Ran(0, own)},
        cluster=DNS,
        names={"registry.local": pods} if pods else {},
    )


def says(machine: Answers, *resources: Any) -> dict[str, bool]:
    return {finding.name: finding.ok for finding in names.looks(machine, stack(*resources, flows=BUILDS))}


def test_one_address_for_all() -> None:
    assert says(answers()) == {
        "registry.local on the node": True,
        "registry.local in pods": True,
        "registry.local is one": True,
    }


def test_a_name_that_nobody_knows() -> None:
    assert says(answers(node="", pods=None)) == {"registry.local on the node": False, "registry.local in pods": False}


def test_loopback_is_the_registry_on_the_node_and_the_pod_itself_in_a_pod() -> None:
    loopback = "127.0.0.1       STREAM registry.local\n"
    assert not says(answers(node=loopback, pods="127.0.0.1"))["registry.local in pods"]
    assert says(answers(node=loopback, pods="10.244.0.1"))["registry.local is one"]
    assert not says(answers(node=loopback, pods="192.168.1.9"))["registry.local is one"]


def test_two_addresses_are_two_registries() -> None:
    assert not says(answers(pods="192.168.1.9"))["registry.local is one"]


def test_a_pod_that_is_told_by_an_alias_needs_no_dns() -> None:
    told = {"hostAliases": [{"ip": "192.168.1.5", "hostnames": ["registry.local"]}]}
    builder = resource("Deployment", "builder", spec={"template": {"spec": told}})
    assert says(answers(pods=None), builder)["registry.local is one"]


def told() -> Any:
    """Return a stack whose builds are told the address of the registry's Service."""
    server = {"image": "docker.io/library/registry:2.8.3", "clusterIp": "10.96.0.50"}
    return stack(
        flows=BUILDS,
        registry={"host": "registry.local:5000", "baseImage": "localhost/aihub/base:bookworm", "server": server},
        ci={"builder": {"image": "docker.io/moby/buildkit:v0.32.2-rootless"}},
    )


@pytest.mark.parametrize(("node", "is_one"), [("127.0.0.1", True), ("172.20.1.2", True), ("192.168.1.9", False)])
def test_builds_that_jenkins_starts_are_told_the_address_of_the_service(node: str, is_one: bool) -> None:
    machine = answers(node=f"{node}  STREAM registry.local\n", pods=None)
    found = {finding.name: finding.ok for finding in names.looks(machine, told())}
    assert found["registry.local in pods"]
    assert found["registry.local is one"] is is_one


@pytest.mark.parametrize(("given", "is_one"), [("10.96.0.50", True), ("10.96.200.7", False)])
def test_the_address_that_builds_are_told_is_the_one_that_the_cluster_gave_the_service(
    given: str, is_one: bool
) -> None:
    machine = answers(node="127.0.0.1  STREAM registry.local\n", pods=None)
    made = {"metadata": {"namespace": "registry", "name": "registry"}, "spec": {"clusterIP": given}}
    machine.cluster = {"services": [*DNS["services"], made]}
    (finding,) = [each for each in names.looks(machine, told()) if each.name == "registry.local is one"]
    assert finding.ok is is_one
    assert (f"{given} has Service registry" in finding.says) is not is_one
    assert "Image Updater" not in finding.says


def test_pods_are_not_asked_where_none_calls_the_registry() -> None:
    assert [finding.name for finding in names.looks(answers(pods=None), stack())] == ["registry.local on the node"]


def test_who_deploys_to_a_cluster_elsewhere_is_sent_to_its_dns_and_not_to_a_file_of_the_node() -> None:
    elsewhere = stack(cluster={"context": "theirs"})
    (finding,) = names.looks(Answers(commands={"getent": Ran(2, "")}), elsewhere)
    assert (finding.name, finding.ok) == ("registry.local from here", False)
    assert "/etc/hosts" not in finding.fix


def test_a_dns_answer_is_read_to_its_last_address() -> None:
    question = b"\x08registry\x05local\x00" + struct.pack("!HH", 1, 1)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4) + socket.inet_aton("192.168.1.5")
    assert answered(struct.pack("!6H", 7, 0x8180, 1, 1, 0, 0) + question + record, 7) == "192.168.1.5"
    assert answered(struct.pack("!6H", 7, 0x8183, 1, 0, 0, 0) + question, 7) is None  # NXDOMAIN
    assert answered(struct.pack("!6H", 8, 0x8180, 1, 1, 0, 0) + question + record, 7) is None  # somebody else's
    assert answered(b"", 7) is None


def service(namespace: str, port: int) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": "web"}, "spec": {"ports": [{"port": 80, "nodePort": port}]}}


CHAT = resource("Service", "chat", spec={"ports": [{"port": 8000, "nodePort": 31302}]})
TRAEFIK = resource("Release", "traefik", values={"ports": {"websecure": {"nodePort": 31084, "port": 8443}}})
NGINX = resource("Release", "nginx", values={"controller": {"service": {"nodePorts": {"http": 31302, "https": 31084}}}})


@pytest.mark.parametrize("resources", [(CHAT, TRAEFIK), (NGINX,)])
def test_ports_are_found_in_manifests_and_in_values(resources: tuple[Any, ...]) -> None:
    found = ports.looks(Answers(cluster={}), stack(*resources))
    assert [finding.name for finding in found] == ["port 31084", "port 31302"]
    assert all(finding.ok for finding in found)


def test_a_port_of_our_own_is_ours_and_anothers_is_named() -> None:
    def judged(namespace: str) -> Any:
        machine = Answers(cluster={"services": [service(namespace, 31302)]}, taken={31302})
        return ports.looks(machine, stack(CHAT))[0]

    assert judged("chat").ok
    assert not judged("shop").ok
    assert "service shop/web" in judged("shop").says


def test_a_program_that_listens_would_hide_the_stack() -> None:
    (finding,) = ports.looks(Answers(taken={31302}), stack(CHAT))
    assert not finding.ok
    assert "ss -ltnp" in finding.fix


def test_on_a_cluster_elsewhere_only_its_services_are_asked() -> None:
    """What Docker leads to the node of kind, or what has that number on this laptop, is not in the way."""
    elsewhere = stack(CHAT, cluster={"context": "kind-kind"})
    (finding,) = ports.looks(Answers(cluster={}, taken={31302}), elsewhere)
    assert (finding.ok, finding.says) == (True, "no Service has it")
    (finding,) = ports.looks(Answers(cluster={"services": [service("shop", 31302)]}), elsewhere)
    assert not finding.ok
