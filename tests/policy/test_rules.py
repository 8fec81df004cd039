"""Each rule: complied with, violated, and with the property missing."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from policy import rules
from policy.rules import OBJECT_RULES, default_deny

Change = Callable[[dict[str, Any]], None]


def deployment() -> dict[str, Any]:
    """Return an object that every rule accepts."""
    probe = {"httpGet": {"path": "/", "port": 80}}
    bounds = {"cpu": "1", "memory": "64Mi"}
    container = {
        "name": "main",
        "image": "docker.io/library/some:1.0",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": dict(bounds), "limits": dict(bounds)},
        "startupProbe": probe,
        "livenessProbe": probe,
        "readinessProbe": probe,
        "env": [{"name": "CONTEXT_TOKENS", "value": "9"}, {"name": "KEY_FILE", "value": "/etc/key"}],
    }
    spec = {
        "serviceAccountName": "some",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    metadata = {"name": "some", "namespace": "chat", "labels": {"app.kubernetes.io/component": "chat"}}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": spec}}}


def pod(change: Callable[[dict[str, Any]], object]) -> Change:
    return lambda manifest: void(change(manifest["spec"]["template"]["spec"]))


def container(change: Callable[[dict[str, Any]], object]) -> Change:
    return pod(lambda spec: change(spec["containers"][0]))


def void(_: object) -> None:
    """Drop what a change returns."""


VIOLATIONS: dict[str, tuple[str, Change, str]] = {
    "host-network": ("restricted_pods", pod(lambda s: s.update(hostNetwork=True)), "hostNetwork"),
    "host-path": ("restricted_pods", pod(lambda s: s["volumes"].append({"name": "h", "hostPath": {}})), "volume h"),
    "no-pod-security": ("restricted_pods", pod(lambda s: s.pop("securityContext")), "runAsNonRoot: true"),
    "root": ("restricted_pods", pod(lambda s: s["securityContext"].update(runAsUser=0)), "other than 0"),
    "root-in-container": ("restricted_pods", container(lambda c: c["securityContext"].update(runAsUser=0)), "than 0"),
    "unconfined": (
        "restricted_pods",
        pod(lambda s: s["securityContext"].update(seccompProfile={"type": "Unconfined"})),
        "seccompProfile",
    ),
    "privileged": ("restricted_pods", container(lambda c: c["securityContext"].update(privileged=True)), "privileged"),
    "escalation": ("restricted_pods", container(lambda c: c["securityContext"].pop("allowPrivilegeEscalation")), "Esc"),
    "no-container-security": ("restricted_pods", container(lambda c: c.pop("securityContext")), "drop ALL"),
    "capability-added": (
        "restricted_pods",
        container(lambda c: c["securityContext"]["capabilities"].update(add=["SYS_ADMIN"])),
        "adds capabilities",
    ),
    "writable-root": (
        "restricted_pods",
        container(lambda c: c["securityContext"].pop("readOnlyRootFilesystem")),
        "read",
    ),
    "host-port": ("restricted_pods", container(lambda c: c.update(ports=[{"hostPort": 80}])), "hostPort"),
    "init-container": ("restricted_pods", pod(lambda s: s.update(initContainers=[{"name": "init"}])), "container init"),
    "default-account": ("own_account", pod(lambda s: s.pop("serviceAccountName")), "default ServiceAccount"),
    "token": ("own_account", pod(lambda s: s.pop("automountServiceAccountToken")), "automountServiceAccountToken"),
    "latest": ("pinned_images", container(lambda c: c.update(image="docker.io/some:latest")), "floating tag"),
    "latest-of-dev": ("pinned_images", container(lambda c: c.update(image="docker.io/some:dev-latest")), "floating"),
    "no-tag": (
        "pinned_images",
        container(lambda c: c.update(image="docker.io/library/some")),
        "neither tag nor digest",
    ),
    "no-image": ("pinned_images", container(lambda c: c.pop("image")), "neither tag nor digest"),
    "no-limit": ("bounded_resources", container(lambda c: c["resources"]["limits"].pop("memory")), "limits.memory"),
    "no-resources": ("bounded_resources", container(lambda c: c.pop("resources")), "requests.cpu"),
    "no-readiness": ("probed_servers", container(lambda c: c.pop("readinessProbe")), "no readinessProbe"),
    "secret-named": (
        "no_plain_secrets",
        container(lambda c: c["env"].append({"name": "REDIS_PASSWORD", "value": "hunter2"})),
        "variable REDIS_PASSWORD holds a secret",
    ),
    "secret-recorded": (
        "no_plain_secrets",
        container(lambda c: c["env"].append({"name": "LOOKS_FINE", "value": "[secret]"})),
        "variable LOOKS_FINE",
    ),
}


@pytest.mark.parametrize("rule", OBJECT_RULES, ids=lambda rule: rule.__name__)
def test_complied_with(rule: rules.Rule) -> None:
    assert list(rule(deployment())) == []


@pytest.mark.parametrize("rule", OBJECT_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("manifest", [{}, {"kind": "Service", "spec": None}, {"kind": "ConfigMap", "data": None}])
def test_objects_it_is_not_about(rule: rules.Rule, manifest: dict[str, Any]) -> None:
    assert list(rule(manifest)) == []


@pytest.mark.parametrize(("name", "change", "message"), VIOLATIONS.values(), ids=list(VIOLATIONS))
def test_violated_by_one_change_and_noticed_by_that_rule_alone(name: str, change: Change, message: str) -> None:
    manifest = deployment()
    change(manifest)
    found = {rule.__name__: list(rule(copy.deepcopy(manifest))) for rule in OBJECT_RULES}
    assert any(message in mistake for mistake in found[name])
    assert all("hunter2" not in mistake for mistake in found[name])
    if "initContainers" not in str(manifest):
        assert [each for each, mistakes in found.items() if mistakes] == [name]


def test_every_rule_has_a_violation() -> None:
    assert {name for name, _, _ in VIOLATIONS.values()} == {rule.__name__ for rule in OBJECT_RULES}


def test_listed_room_may_use_a_host_port_and_nothing_more() -> None:
    manifest = deployment()
    container(lambda c: c.update(ports=[{"hostPort": 5000}]))(manifest)
    manifest["metadata"]["labels"]["app.kubernetes.io/component"] = "registry"
    assert list(rules.restricted_pods(manifest)) == []
    pod(lambda s: s.update(hostPID=True))(manifest)
    assert len(list(rules.restricted_pods(manifest))) == 1


def test_cron_jobs_and_bare_pods_are_looked_into() -> None:
    template = deployment()["spec"]["template"]
    template["spec"]["hostIPC"] = True
    for manifest in (
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}},
        {"kind": "Pod", "spec": template["spec"]},
    ):
        assert any("hostIPC" in mistake for mistake in rules.restricted_pods(manifest))


def test_digest_pins_without_a_tag() -> None:
    manifest = deployment()
    container(lambda c: c.update(image=f"docker.io/library/some@sha256:{'0' * 64}"))(manifest)
    assert list(rules.pinned_images(manifest)) == []


@pytest.mark.parametrize(
    "data",
    [
        {"redis.conf": "port 6379\nrequirepass hunter2\n"},
        {"settings.ini": "password = hunter2"},
        {"key.pem": "-----BEGIN RSA PRIVATE KEY-----"},
        {"API_KEY": "x"},
        {"innocent": "[secret]"},
        "[secret]",
    ],
    ids=["redis", "assignment", "private-key", "named", "recorded", "whole-map"],
)
def test_config_map_with_a_secret(data: object) -> None:
    manifest = {"kind": "ConfigMap", "metadata": {"name": "some", "namespace": "chat"}, "data": data}
    (mistake,) = rules.no_plain_secrets(manifest)
    assert mistake.endswith("holds a secret; put it into a Secret")
    assert "hunter2" not in mistake


def test_config_map_that_names_a_password_which_the_service_puts_in() -> None:
    data = {"URL": "jdbc:postgresql://db/aipp?password=${DB_PASSWORD}"}
    assert list(rules.no_plain_secrets({"kind": "ConfigMap", "metadata": {"name": "some"}, "data": data})) == []


def test_default_deny_is_asked_of_every_namespace_with_pods() -> None:
    deny = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "default-deny", "namespace": "chat"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    assert list(default_deny([deployment(), deny])) == []
    assert list(default_deny([deny])) == []
    for changed in (
        [],
        [{**deny, "metadata": {"namespace": "data"}}],
        [{**deny, "spec": {**deny["spec"], "policyTypes": ["Ingress"]}}],  # type: ignore[dict-item]  # plain data
        [{**deny, "spec": {**deny["spec"], "podSelector": {"matchLabels": {"a": "b"}}}}],  # type: ignore[dict-item]  # as above
        [{**deny, "spec": {**deny["spec"], "ingress": [{}]}}],  # type: ignore[dict-item]  # as above
    ):
        (mistake,) = default_deny([deployment(), *changed])
        assert mistake.startswith("namespace chat: ")
