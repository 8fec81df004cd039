"""Secrets become files of a Secret, filled by Pulumi or by External Secrets."""

import pytest
from pulumi import Output, RunError

from infra.config.secrets import VaultConfig
from infra.recorder import SECRET, Recording, record
from infra.secrets.files import SecretFiles, SecretFilesArgs, for_vault, keys_of
from tests.infra.support import of_kind, only

FILES = {"password": "${redisPassword}", "auth.conf": 'requirepass "${redisPassword}"\n'}


def declared(password: str, vault: VaultConfig | None = None) -> Recording:
    args = SecretFilesArgs(
        namespace="data",
        labels={},
        files=FILES,
        values={} if vault else {"redisPassword": Output.secret(password)},
        vault=vault,
    )
    return record(lambda: SecretFiles("redis-auth", args), stack="test")


def version(recording: Recording) -> str:
    return str(next(iter(recording.outputs.values()))["version"])


def test_stack_secret_stays_secret() -> None:
    recording = declared("canary")
    assert only(recording, "Secret")["stringData"] == SECRET
    assert "canary" not in repr(recording)


def test_version_can_be_read_and_changes_with_the_secret() -> None:
    assert version(declared("one")) != version(declared("two"))
    assert version(declared("one")) == version(declared("one")) != SECRET


def test_vault_fills_the_same_files() -> None:
    recording = declared("unused", VaultConfig(store="vault", path="aihub"))
    assert of_kind(recording, "Secret") == []
    spec = only(recording, "ExternalSecret")["spec"]
    assert spec["target"]["template"]["data"] == {
        "password": "{{ .redisPassword }}",
        "auth.conf": 'requirepass "{{ .redisPassword }}"\n',
    }
    assert spec["data"] == [{"secretKey": "redisPassword", "remoteRef": {"key": "aihub", "property": "redisPassword"}}]
    assert spec["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}


@pytest.mark.parametrize("password", ['a"b', "a\\b", "a\nb"], ids=["quote", "backslash", "line-break"])
def test_secret_that_would_end_its_quotes_is_refused_by_name(password: str) -> None:
    with pytest.raises(RunError, match=r"aihub:redisPassword: holds a quote, a backslash or a line break") as caught:
        declared(password)
    assert password not in str(caught.value)


def test_keys_are_found_once_and_in_order() -> None:
    assert keys_of({"one": "${b} ${a}", "two": "${a}"}) == ["a", "b"]
    assert for_vault("plain") == "plain"
