"""What is declared in Vault: rights for exactly the listed entries, for exactly one account."""

import base64
from typing import Any

import pytest

from infra.program import deploy
from infra.recorder import Recorded, Recording, record
from infra.secrets.access import RIGHTS, rules
from infra.stackfile import configuration
from tests.infra.support import CANARIES, CONFIGS, config_file, only


def declared(changes: dict[str, Any] | None = None) -> Recording:
    config = config_file(CONFIGS / "valid" / "vault-with-rights-of-our-own.yaml")
    config["aihub:secrets"]["vault"] |= changes or {}
    return record(deploy, stack="test", config=config, secrets=CANARIES)


def of_vault(recording: Recording, kind: str) -> list[Recorded]:
    return [each for each in recording.resources if each.type.startswith("vault:") and each.type.endswith(f":{kind}")]


def test_policies_name_exactly_the_entries() -> None:
    policies = {each.properties["name"]: each.properties["policy"] for each in of_vault(declared(), "Policy")}
    assert policies == {
        "chat-read": 'path "kv/data/platform/chat" {\n  capabilities = ["read"]\n}\n',
        "chat-look": 'path "kv/subkeys/platform/chat" {\n  capabilities = ["read"]\n}\n',
        "chat-fill": 'path "kv/subkeys/platform/chat" {\n  capabilities = ["read"]\n}\n'
        'path "kv/data/platform/chat" {\n  capabilities = ["create", "patch"]\n}\n',
    }


def test_dev_may_read_its_entries_and_no_others() -> None:
    recording = record(deploy, stack="dev", config=configuration("dev"), secrets=CANARIES)
    (read,) = (each for each in of_vault(recording, "Policy") if each.properties["name"] == "aihub-read")
    lines = [line for line in read.properties["policy"].splitlines() if line.startswith("path")]
    named = ("aihub", "aipp/pgvector", "aipp/rabbitmq", "aipp/redis")
    assert lines == [f'path "secret/data/{path}" {{' for path in named]


def test_only_who_fills_may_write_and_nobody_may_read_all() -> None:
    assert "create" not in rules("secret", ["a"], RIGHTS["read"]) + rules("secret", ["a"], RIGHTS["look"])
    whole = "".join(rules("secret", ["a", "b/c"], rights) for rights in RIGHTS.values())
    assert not set("*+") & set(whole)
    assert not {"update", "delete", "list", "sudo"} & set(whole.replace('"', " ").replace(",", " ").split())


def test_provider_uses_the_token_that_it_is_given() -> None:
    """A child token of it would need the right to `auth/token/create`, which docs/vault.md does not ask for."""
    (provider,) = (each for each in declared().resources if each.type == "pulumi:providers:vault")
    assert provider.properties["skipChildToken"] == "true"


def test_role_is_bound_to_the_account_of_external_secrets() -> None:
    (role,) = of_vault(declared(), "AuthBackendRole")
    assert role.properties == {
        "backend": "kubernetes",
        "roleName": "chat",
        "boundServiceAccountNames": ["external-secrets"],
        "boundServiceAccountNamespaces": ["external-secrets"],
        "audience": "vault",
        "tokenPolicies": ["chat-read"],
        "tokenTtl": 1200.0,
        "tokenMaxTtl": 1200.0,
    }


def test_the_provider_is_told_where_vault_is_and_no_token() -> None:
    (provider,) = (each for each in declared().resources if each.type == "pulumi:providers:vault")
    assert provider.properties["address"] == "https://vault.example.com"
    assert "token" not in provider.properties


def test_store_logs_in_as_the_role_and_serves_our_namespaces_only() -> None:
    store = only(declared(), "ClusterSecretStore")
    assert store["metadata"]["name"] == "aihub"
    assert store["spec"]["conditions"] == [{"namespaces": ["chat", "data"]}]
    vault = store["spec"]["provider"]["vault"]
    assert (vault["server"], vault["path"], vault["version"]) == ("https://vault.example.com", "kv", "v2")
    assert vault["auth"]["kubernetes"]["role"] == "chat"
    assert vault["auth"]["kubernetes"]["serviceAccountRef"]["audiences"] == ["vault"]


def test_the_vendors_namespace_may_use_it_even_where_argocd_makes_it() -> None:
    recording = record(deploy, stack="dev", config=configuration("dev"), secrets=CANARIES)
    (condition,) = only(recording, "ClusterSecretStore")["spec"]["conditions"]
    assert {"aipp", "aihub-chat", "aihub-data"} <= set(condition["namespaces"])
    assert "kube-system" not in condition["namespaces"]


def test_somebody_elses_store_is_left_alone() -> None:
    recording = declared({"access": {"address": "https://vault.example.com"}})
    assert not [each for each in recording.objects() if each.kind == "ClusterSecretStore"]
    (role,) = of_vault(recording, "AuthBackendRole")
    assert "audience" not in role.properties


@pytest.mark.parametrize("file", ["vault-and-argocd", "smallest"])
def test_without_access_nothing_is_declared_in_vault(file: str) -> None:
    recording = record(deploy, stack="test", config=config_file(CONFIGS / "valid" / f"{file}.yaml"), secrets=CANARIES)
    assert not [each for each in recording.resources if "vault:" in each.type]


def test_store_trusts_a_companys_authority_only_where_it_signed_vaults_certificate() -> None:
    config = config_file(CONFIGS / "valid" / "vault-with-rights-of-our-own.yaml")
    company = config_file(CONFIGS / "valid" / "authorities-of-a-company.yaml")["aihub:network"]["authorities"]
    config["aihub:network"]["authorities"] = company
    for signed in (False, True):
        config["aihub:secrets"]["vault"]["access"]["signedByAuthorities"] = signed
        store = only(record(deploy, stack="test", config=config, secrets=CANARIES), "ClusterSecretStore")
        bundle = store["spec"]["provider"]["vault"].get("caBundle")
        assert bundle == (base64.b64encode(company.encode()).decode() if signed else None)
