"""Secrets by Vault's agent: the same files in the same places, and no Secret that holds them."""

from typing import Any

import pytest

from infra.program import deploy
from infra.recorder import Recorded, Recording, record
from infra.workload import SECRETS_VERSION
from tests.infra.aipp.support import declared
from tests.infra.support import CANARIES, CONFIGS, config_file

BY_AGENT, BY_SECRETS = "aipp-by-vaults-agent", "aipp-from-vault"
AGENT = "vault.hashicorp.com/"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return declared(BY_AGENT)


@pytest.fixture(scope="module")
def as_secrets() -> Recording:
    return declared(BY_SECRETS)


def workloads(recording: Recording) -> dict[str, Recorded]:
    """Return service -> its Deployment or StatefulSet."""
    return {
        each.object_name: each
        for each in recording.objects()
        if each.kind in {"Deployment", "StatefulSet"} and each.namespace == "aipp"
    }


def template(recording: Recording, service: str) -> dict[str, Any]:
    return dict(workloads(recording)[service].properties["spec"]["template"])


def told(recording: Recording, service: str) -> dict[str, str]:
    """Return what the injector is told, without its prefix."""
    annotations = template(recording, service)["metadata"].get("annotations", {})
    return {name.removeprefix(AGENT): value for name, value in annotations.items() if name.startswith(AGENT)}


def secret_folders(pod: dict[str, Any]) -> set[str]:
    """Return where the containers find the files of a Secret."""
    volumes = {volume["name"] for volume in pod["volumes"] if "secret" in volume}
    containers = [*pod["containers"], *pod.get("initContainers", ())]
    return {mount["mountPath"] for each in containers for mount in each["volumeMounts"] if mount["name"] in volumes}


def files(as_secrets: Recording, service: str) -> set[str]:
    """Return the files that External Secrets would bring, but for those that become variables."""
    return {
        file
        for each in as_secrets.objects()
        if each.kind == "ExternalSecret" and each.namespace == "aipp"
        if each.object_name in {f"aipp-{service}-auth", f"aipp-{service}-definitions", f"{service}-secrets"}
        for file in each.properties["spec"]["target"]["template"]["data"]
        if not file.startswith("env.")
    }


SERVICES = ("pgvector", "redis", "rabbitmq", "enai-backend", "enai-data-processor", "enai-linker", "enai-scheduler")


@pytest.mark.parametrize("service", SERVICES)
def test_the_agent_writes_the_same_files_in_the_same_folder(
    recording: Recording, as_secrets: Recording, service: str
) -> None:
    says = told(recording, service)
    written = {name.removeprefix("agent-inject-template-") for name in says if name.startswith("agent-inject-template")}
    assert written == files(as_secrets, service) != set()
    assert {says["secret-volume-path"]} == secret_folders(template(as_secrets, service)["spec"])
    for file in written:
        assert says[f"error-on-missing-key-{file}"] == "true"
        assert says[f"agent-inject-perms-{file}"] == "0440"


def test_a_file_is_written_from_the_entries_of_its_keys(recording: Recording) -> None:
    says = told(recording, "redis")
    assert says["agent-inject-secret-auth.conf"] == "secret/data/aipp/redis"
    password = '{{ with secret "secret/data/aipp/redis" }}{{ .Data.data.aippRedisPassword }}{{ end }}'
    assert says["agent-inject-template-password"] == password
    assert f'requirepass "{password}"' in says["agent-inject-template-auth.conf"]


def test_no_secret_is_declared_or_read(recording: Recording) -> None:
    kinds = [each for each in recording.objects() if each.namespace == "aipp"]
    assert not [each.object_name for each in kinds if each.kind in {"Secret", "ExternalSecret"}]
    for service in workloads(recording):
        pod = template(recording, service)["spec"]
        assert not [volume for volume in pod["volumes"] if "secret" in volume], service
        mounted = {
            m["name"] for kind in ("containers", "initContainers") for c in pod.get(kind, ()) for m in c["volumeMounts"]
        }
        assert mounted <= {volume["name"] for volume in pod["volumes"]}, service


def test_the_agent_comes_first_and_goes(recording: Recording) -> None:
    says = told(recording, "enai-backend")
    assert (says["agent-init-first"], says["agent-pre-populate-only"]) == ("true", "true")
    assert says["agent-run-as-user"] == "10001"
    assert SECRETS_VERSION in template(recording, "enai-backend")["metadata"]["annotations"]


def test_it_logs_in_with_a_token_for_vault_that_no_container_of_ours_sees(recording: Recording) -> None:
    for service in SERVICES:
        pod, name = (
            template(recording, service)["spec"],
            told(recording, service)["agent-service-account-token-volume-name"],
        )
        (volume,) = (each for each in pod["volumes"] if each["name"] == name)
        (source,) = volume["projected"]["sources"]
        assert source["serviceAccountToken"]["audience"] == "vault"
        assert pod["automountServiceAccountToken"] is False
        assert name not in {mount["name"] for each in pod["containers"] for mount in each["volumeMounts"]}


def test_each_service_has_a_role_of_its_own_for_what_it_reads() -> None:
    whole = record(deploy, stack="test", config=config_file(CONFIGS / "valid" / f"{BY_AGENT}.yaml"), secrets=CANARIES)
    of_vault = [each.properties for each in whole.resources if each.type.startswith("vault:")]
    roles = {each["roleName"]: each for each in of_vault if "roleName" in each}
    policies = {each["name"]: each["policy"] for each in of_vault if "policy" in each}
    assert set(roles) == {"aihub", *(f"aihub-aipp-{service}" for service in SERVICES)}
    redis = roles["aihub-aipp-redis"]
    assert redis["boundServiceAccountNames"] == ["redis"]
    assert redis["boundServiceAccountNamespaces"] == ["aipp"]
    assert redis["audience"] == "vault"
    assert redis["tokenPolicies"] == ["aihub-aipp-redis"]
    assert policies["aihub-aipp-redis"] == 'path "secret/data/aipp/redis" {\n  capabilities = ["read"]\n}\n'
    accounts = {
        each.properties["spec"]["template"]["spec"]["serviceAccountName"]: name
        for name, each in workloads(whole).items()
    }
    assert all(accounts[service] == service for service in SERVICES)


def test_pods_may_reach_vault(recording: Recording) -> None:
    open_to = {
        each.object_name
        for each in recording.objects()
        if each.kind == "NetworkPolicy" and each.namespace == "aipp"
        for rule in each.properties["spec"].get("egress", ())
        if 8200 in {port.get("port") for port in rule.get("ports", ())}
    }
    assert len(open_to) == 8


def test_by_default_no_pod_is_changed(as_secrets: Recording) -> None:
    assert not [service for service in workloads(as_secrets) if told(as_secrets, service)]
