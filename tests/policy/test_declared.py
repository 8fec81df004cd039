"""What a stack's configuration names may be run and reached, and nothing else."""

import json
import os
import subprocess
import sys
from types import MappingProxyType
from typing import Any

import pytest

from infra.config import parse
from infra.program import deploy
from infra.recorder import record
from infra.stackfile import CHECKOUT
from policy.declared import DECLARED_RULES, Declared, declared_by, declared_exposure, declared_registries
from tests.infra.support import CANARIES, CONFIGS, config_file
from tests.policy.test_rules import deployment

DECLARED = Declared(
    registries=("docker.io/", "registry.local:5000/"),
    hosts=frozenset({"chat.aihub.local"}),
    ports=frozenset({31302}),
)


def service(**spec: Any) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "some", "namespace": "chat"}, "spec": spec}


def ingress(*hosts: str, **spec: Any) -> dict[str, Any]:
    rules = [{"host": host, "http": {}} for host in hosts]
    return {"kind": "Ingress", "metadata": {"name": "some", "namespace": "chat"}, "spec": {"rules": rules, **spec}}


def chart(**values: Any) -> dict[str, Any]:
    return {"chart": "some", "name": "some", "namespace": "ci", "values": values}


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        service(),
        service(type="ClusterIP", ports=[{"port": 80}]),
        service(type="NodePort", ports=[{"port": 80, "nodePort": 31302.0}]),
        ingress("chat.aihub.local"),
        chart(),
        chart(service={"type": "NodePort"}, ports={"web": {"nodePort": 31302}}),
        chart(server={"ingress": {"enabled": True, "hosts": ["chat.aihub.local"]}, "hostNetwork": False}),
        chart(controller={"hostAliases": [{"hostnames": ["login.aihub.local"]}]}),
        deployment(),
    ],
)
def test_what_is_declared_is_left_alone(manifest: dict[str, Any]) -> None:
    assert [mistake for rule in DECLARED_RULES for mistake in rule(manifest, DECLARED)] == []


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (service(type="LoadBalancer"), "Service chat/some: takes an address of its own"),
        (service(externalIPs=["192.0.2.1"]), "takes an address of its own"),
        (service(type="NodePort", ports=[{"nodePort": 30001}]), "opens node port 30001, which no field names"),
        (service(type="NodePort", ports=[{"port": 80}]), "opens node port of any number"),
        (ingress("engine.aihub.local"), "Ingress chat/some: serves engine.aihub.local, which no field"),
        (ingress("chat.aihub.local", defaultBackend={}), "answers for every name"),
        ({**ingress(), "spec": {"rules": [{"http": {}}]}}, "serves every host"),
        (chart(service={"type": "LoadBalancer"}), "chart some: takes an address of its own"),
        (chart(service={"type": "NodePort"}), "opens a node port of any number"),
        (chart(controller={"service": {"nodePorts": {"http": 30001}}}), "opens node port 30001"),
        (chart(grafana={"ingress": {"hosts": ["other.aihub.local"]}}), "serves other.aihub.local"),
        (chart(controller={"ingress": {"hostName": "other.aihub.local"}}), "serves other.aihub.local"),
        (
            chart(server=MappingProxyType({"ingress": MappingProxyType({"hosts": ("other.aihub.local",)})})),
            "other.aihub",
        ),
        (chart(server={"ingress": {"tls": [{"hosts": ["other.aihub.local"]}]}}), "serves other.aihub.local"),
    ],
)
def test_what_no_field_names_is_not_exposed(manifest: dict[str, Any], message: str) -> None:
    (mistake,) = declared_exposure(manifest, DECLARED)
    assert message in mistake


@pytest.mark.parametrize("image", ["evil.example.com/some:1", "docker.io.example.com/some:1", "some:1", ""])
def test_an_image_from_elsewhere_is_named(image: str) -> None:
    manifest = deployment()
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = image
    (mistake,) = declared_registries(manifest, DECLARED)
    assert mistake.startswith("Deployment chat/some, container main: its image comes from a registry that the stack")
    assert mistake.endswith("docker.io/, registry.local:5000/")


@pytest.mark.parametrize(
    "name", ["ci-with-gitlab", "acme-and-a-retired-controller", "vendor-images-from-the-vendor", "penpot"]
)
def test_a_stack_with_other_names_complies(name: str) -> None:
    """Another registry, another controller: nothing of the rules is written for the three stacks that are here."""
    config = config_file(CONFIGS / "valid" / f"{name}.yaml")
    declared = declared_by(parse(config))
    recording = record(deploy, stack="test", config=config, secrets=CANARIES)
    objects = [each.properties for each in recording.resources if each.custom]
    assert [mistake for each in objects for rule in DECLARED_RULES for mistake in rule(each, declared)] == []
    nothing = Declared(registries=(), hosts=frozenset(), ports=frozenset())
    assert [mistake for each in objects for rule in DECLARED_RULES for mistake in rule(each, nothing)]


def test_the_pack_reads_the_configuration_that_the_engine_hands_it() -> None:
    """In PULUMI_CONFIG, secrets included and none of them marked as one."""
    config = config_file(CONFIGS / "valid" / "ci-with-gitlab.yaml")
    handed = {key: json.dumps(value) for key, value in config.items()} | CANARIES
    script = "from infra.config.load import load_stack; from policy.declared import *; print(declared_by(load_stack()))"
    environment = {**os.environ, "PULUMI_CONFIG": json.dumps(handed)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    assert "registries=('docker.io/', 'localhost/', 'harbor.example.com/')" in done.stdout
    assert "31302" in done.stdout.partition("ports=")[2]
    assert "jenkins.example.com" in done.stdout
