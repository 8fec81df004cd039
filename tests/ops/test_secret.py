"""Renewing a secret: one command, and whoever reads the Secret gets new pods."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from infra.config.secret_keys import Origin, SecretKey
from ops import paths, secret
from ops.credentials import PASSPHRASE, kept, load_or_make, stack_config
from ops.errors import OpsError
from ops.paths import StackPaths
from ops.restart import changed, readers, secrets_of


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    monkeypatch.setattr(paths, "PRIVATE", tmp_path / ".aihub")
    found = StackPaths("local")
    load_or_make(found, stack_config("local"))
    return found


def test_listing_names_every_secret_and_shows_none(stack: StackPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert secret.run(stack, "") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("apiKey", "redisPassword", "engineKey", "apiKeySha256"))
    assert not any(value in printed for value in kept(stack).values())


def test_renewing_changes_one_and_what_is_derived_from_it(stack: StackPaths) -> None:
    before = kept(stack)
    assert secret.run(stack, "apiKey") == 0
    after = kept(stack)
    assert {name for name in before if before[name] != after[name]} == {"apiKey", "apiKeySha256"}
    assert stack.api_key.read_text().strip() == after["apiKey"]


@pytest.mark.parametrize("name", ["apiKeySha256", "redisPasword", PASSPHRASE])
def test_what_cannot_be_renewed_is_refused_with_the_way_out(stack: StackPaths, name: str) -> None:
    before = kept(stack)
    with pytest.raises(OpsError, match=r"choose one of|change-secrets-provider"):
        secret.run(stack, name)
    assert kept(stack) == before


def test_what_others_are_encrypted_with_is_not_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "PRIVATE", tmp_path / ".aihub")
    wsl = StackPaths("wsl")
    load_or_make(wsl, stack_config("wsl"))
    before = kept(wsl)
    with pytest.raises(OpsError, match="second factors") as refused:
        secret.run(wsl, "giteaSecretKey")
    assert str(wsl.secrets) in refused.value.fix
    assert kept(wsl) == before
    secret.run(wsl, "giteaSigningKey")
    assert kept(wsl) != before


def test_a_given_one_is_read_from_standard_input(stack: StackPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    given = SecretKey(name="gitToken", purpose="x", is_needed=lambda _: True, origin=Origin.GIVEN)
    monkeypatch.setattr("ops.secret.wanted_by", lambda _: (given,))
    monkeypatch.setattr("sys.stdin", io.StringIO("a-token\n"))
    assert secret.run(stack, "gitToken") == 0
    assert kept(stack)["gitToken"] == "a-token"
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(OpsError, match="is empty"):
        secret.run(stack, "gitToken")
    assert kept(stack)["gitToken"] == "a-token"


def workload(name: str, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {}, "spec": spec}
    return {"kind": "Deployment", "metadata": {"namespace": "chat", "name": name}, "spec": {"template": template}}


def text(of: dict[str, Any]) -> str:
    return json.dumps(of["spec"]["template"], sort_keys=True)


FILES = workload("files", volumes=[{"secret": {"secretName": "changed"}}])
PROJECTED = workload("projected", volumes=[{"projected": {"sources": [{"secret": {"name": "changed"}}]}}])
VARIABLE = workload(
    "variable", containers=[{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "changed", "key": "a"}}}]}]
)
ALL = workload("all", initContainers=[{"envFrom": [{"secretRef": {"name": "changed"}}]}])
OTHER = workload("other", volumes=[{"secret": {"secretName": "same"}}, {"emptyDir": {}}], containers=[{}])


@pytest.mark.parametrize("reader", [FILES, PROJECTED, VARIABLE, ALL], ids=lambda each: each["metadata"]["name"])
def test_every_way_to_read_a_secret_is_known(reader: dict[str, Any]) -> None:
    assert secrets_of(reader["spec"]["template"]) == {"changed"}


def test_only_readers_of_what_changed_and_was_not_rolled_are_restarted() -> None:
    stale = changed(
        {("chat", "changed"): "1", ("chat", "same"): "1"}, {("chat", "changed"): "2", ("chat", "same"): "1"}
    )
    rolled = {("Deployment", "chat", each["metadata"]["name"]): text(each) for each in (FILES, VARIABLE, OTHER)}
    rolled["Deployment", "chat", "all"] = "a template that has changed since"
    found = [name for _, _, name in readers([FILES, VARIABLE, ALL, OTHER], stale, rolled)]
    assert found == ["files", "variable"]


def test_a_new_secret_restarts_nobody() -> None:
    assert changed({}, {("chat", "new"): "5"}) == set()
