"""`make vault` and its preflight against a server: what is missing is named, nothing is read or written over."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hvac
import pytest

from infra.config import StackConfig
from infra.config.secrets import VaultConfig
from infra.secrets.access import RIGHTS, rules
from infra.secrets.entries import entries, paths
from ops import paths as places
from ops import vault as command
from ops.clients.vault import Vault, from_environment
from ops.credentials import kept, stack_config
from ops.errors import OpsError
from ops.paths import StackPaths
from ops.preflight.vault import findings, looks
from tests.vault_real import real
from tests.vault_stand_in import stand_in

DEV = stack_config("dev")
ENTRIES = entries(DEV)


@dataclass(frozen=True)
class Server:
    """A Vault that may be written to and read."""

    address: str
    root: hvac.Client

    def token(self, *policies: str) -> str:
        """Make a token that may do what these policies of `infra/secrets/access.py` say."""
        for name in policies:
            self.root.adapter.put(
                f"/v1/sys/policies/acl/{name}", json={"policy": rules("secret", LISTED, RIGHTS[name])}
            )
        made = self.root.adapter.post("/v1/auth/token/create", json={"policies": list(policies)})
        return str(made["auth"]["client_token"])

    def holds(self, path: str) -> dict[str, str]:
        return dict(self.root.adapter.get(f"/v1/secret/data/{path}")["data"]["data"])

    def write(self, path: str, **values: str) -> None:
        self.root.adapter.post(f"/v1/secret/data/{path}", json={"data": values})

    def delete(self, path: str) -> None:
        self.root.adapter.delete(f"/v1/secret/data/{path}")


LISTED = paths(ENTRIES)


@pytest.fixture(params=[stand_in, pytest.param(real, marks=pytest.mark.vault)], ids=["stand-in", "vault"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with request.param() as (address, token):
        monkeypatch.setenv("VAULT_ADDR", address)
        yield Server(address, hvac.Client(url=address, token=token))


@pytest.fixture
def place(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    monkeypatch.setattr(places, "PRIVATE", tmp_path / ".aihub")
    return StackPaths("dev")


def as_seen_by(token: str, monkeypatch: pytest.MonkeyPatch, mount: str = "secret") -> Vault:
    monkeypatch.setenv("VAULT_TOKEN", token)
    found = from_environment(VaultConfig(store="vault", mount=mount))
    assert found
    return found


def with_keys(stack: StackConfig, *, jwt: bool = False) -> StackConfig:
    """Return dev with a service that names a key of its own."""
    assert stack.aipp
    backend = stack.aipp.backend.model_copy(update={"secret_environment": {"JWT_SECRET": "jwtSecret"} if jwt else {}})
    return stack.model_copy(update={"aipp": stack.aipp.model_copy(update={"backend": backend})})


def test_an_empty_vault_is_told_entry_by_entry(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = as_seen_by(server.token("look"), monkeypatch)
    found = {each.name: each for each in findings("dev", vault, ENTRIES)}
    assert found["Vault"].ok
    assert found["Vault aipp/redis"].says == "there is no such entry; it must have: aippRedisPassword"
    assert found["Vault aipp/redis"].fix == "make vault STACK=dev FILL=1"
    assert [name for name, each in found.items() if each.ok] == ["Vault"]


def test_the_missing_key_is_named_and_no_value_is_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.write("aihub", redisPassword="canary", apiKeySha256="canary")
    vault = as_seen_by(server.token("look"), monkeypatch)
    (found,) = (each for each in findings("dev", vault, ENTRIES) if each.name == "Vault aihub")
    assert found.says.startswith("missing: engineKey")
    assert "redisPassword" not in found.says
    assert "canary" not in repr(vault.keys("aihub"))
    with pytest.raises(hvac.exceptions.Forbidden):  # the token could not, if it would
        hvac.Client(url=server.address, token=server.token("look")).adapter.get("/v1/secret/data/aihub")


def test_filling_writes_what_is_missing_once_and_shows_no_value(
    server: Server, place: StackPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.write("aihub", redisPassword="chosen by hand")
    monkeypatch.setenv("VAULT_TOKEN", server.token("fill"))
    assert command.run(place, fill=True, name="") == 0
    first = {path: server.holds(path) for path in LISTED}
    assert first["aihub"]["redisPassword"] == "chosen by hand"
    assert {(path, key) for path, values in first.items() for key in values} >= {
        (entry.path, entry.secret.name) for entry in ENTRIES
    }
    printed = capsys.readouterr().out
    assert not [key for values in first.values() for key, value in values.items() if value in printed]
    assert command.run(place, fill=True, name="") == 0
    assert {path: server.holds(path) for path in LISTED} == first
    assert "wrote" not in capsys.readouterr().out


def test_only_what_people_use_is_kept_here(server: Server, place: StackPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", server.token("fill"))
    command.run(place, fill=True, name="")
    here, there = kept(place), server.holds("aihub")
    shared = {entry.secret.name for entry in ENTRIES if entry.secret.also_in_vault}
    assert {"apiKey"} <= set(here)
    assert set(here) & set(there) == shared
    assert set(here.values()) & set(there.values()) == {here[name] for name in shared}
    assert place.secrets.stat().st_mode & 0o777 == 0o600


def test_a_given_key_is_listed_until_somebody_gives_it(
    server: Server, place: StackPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "stack_config", lambda _: with_keys(DEV, jwt=True))
    for name in ("look", "fill"):
        text = rules("secret", [*LISTED, "aipp/services"], RIGHTS[name])
        server.root.adapter.put(f"/v1/sys/policies/acl/{name}", json={"policy": text})
    made = server.root.adapter.post("/v1/auth/token/create", json={"policies": ["fill"]})
    monkeypatch.setenv("VAULT_TOKEN", made["auth"]["client_token"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert command.run(place, fill=True, name="") == 1
    assert "jwtSecret: only a person has it\n  -> make vault STACK=dev NAME=jwtSecret" in capsys.readouterr().out
    monkeypatch.setattr(command, "given", lambda _: "from a person")
    assert command.run(place, fill=False, name="jwtSecret") == 0
    assert server.holds("aipp/services") == {"jwtSecret": "from a person"}
    with pytest.raises(OpsError, match=r"(?s)jwtSecret is there already.*vault kv patch -mount=secret aipp/services"):
        command.run(place, fill=False, name="jwtSecret")
    assert "from a person" not in place.secrets.read_text()


def test_an_unknown_name_is_refused_with_those_that_exist(
    server: Server, place: StackPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", server.token("fill"))
    with pytest.raises(OpsError, match=r"(?s)no key 'jwtSecert'.*aippQueuePassword"):
        command.run(place, fill=False, name="jwtSecert")
    with pytest.raises(OpsError, match="no key 'apiKeySha256'"):  # it follows apiKey
        command.run(place, fill=False, name="apiKeySha256")


def test_whoever_wrote_meanwhile_wins(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = as_seen_by(server.token("fill"), monkeypatch)
    server.write("aihub", redisPassword="theirs")
    for version in (0, 7):
        with pytest.raises(OpsError, match=r"aihub: (somebody wrote to it meanwhile|this token may not write)"):
            vault.add("aihub", {"redisPassword": "ours"}, version)
    assert server.holds("aihub") == {"redisPassword": "theirs"}
    assert vault.add("aihub", {"engineKey": "new"}, 1) == 2
    assert server.holds("aihub") == {"redisPassword": "theirs", "engineKey": "new"}


def test_sealed(server: Server, place: StackPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = as_seen_by(server.token("look"), monkeypatch)
    server.root.adapter.put("/v1/sys/seal")
    (found,) = findings("dev", vault, ENTRIES)
    assert (found.ok, found.name) == (False, "Vault")
    assert "is sealed" in found.says
    assert "vault operator unseal" in found.fix
    with pytest.raises(OpsError, match="is sealed"):
        command.run(place, fill=True, name="")
    with pytest.raises(OpsError, match="is sealed"):
        vault.keys("aihub")


def test_token_that_vault_does_not_know(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = findings("dev", as_seen_by("hvs.unknown", monkeypatch), ENTRIES)
    assert "does not know this token" in found.says
    assert "vault login" in found.fix


def test_token_without_the_right_is_told_which(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    text = rules("secret", ["aihub"], RIGHTS["look"])
    server.root.adapter.put("/v1/sys/policies/acl/half", json={"policy": text})
    made = server.root.adapter.post("/v1/auth/token/create", json={"policies": ["half"]})
    vault = as_seen_by(made["auth"]["client_token"], monkeypatch)
    found = {each.name: each for each in findings("dev", vault, ENTRIES)}
    assert found["Vault aihub"].says.startswith("there is no such entry")
    assert found["Vault aipp/redis"].says == "secret/aipp/redis: this token may not see its keys"
    assert 'path "secret/subkeys/aipp/redis" { capabilities = ["read"] }' in found["Vault aipp/redis"].fix
    with pytest.raises(OpsError, match=r'(?s)may not write.*path "secret/data/aihub" { capabilities = \["create"\]'):
        vault.add("aihub", {"redisPassword": "x"}, 0)


@pytest.mark.parametrize(("mount", "says"), [("nowhere", "has no engine at nowhere/"), ("old", "no key-value engine")])
def test_another_engine_than_is_looked_for(
    server: Server, monkeypatch: pytest.MonkeyPatch, mount: str, says: str
) -> None:
    root = str(server.root.token)
    (found,) = findings("dev", as_seen_by(root, monkeypatch, mount), ENTRIES)
    assert says in found.says


def test_a_deleted_version_is_not_taken_for_a_missing_entry(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.write("aihub", redisPassword="x")
    server.delete("aihub")
    vault = as_seen_by(server.token("look"), monkeypatch)
    (found,) = (each for each in findings("dev", vault, ENTRIES) if each.name == "Vault aihub")
    assert found.says == "secret/aihub: version 1, the newest, was deleted"
    assert "vault kv undelete -mount=secret -versions=1 aihub" in found.fix


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    (found,) = findings("dev", as_seen_by("t", monkeypatch), ENTRIES)
    assert found.says == "Vault at http://127.0.0.1:9 does not answer: ConnectionError"
    assert "sys/health" in found.fix


def test_doctor_looks_with_the_persons_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", server.token("look"))
    assert [each.name for each in looks("dev", DEV)] == ["Vault", *(f"Vault {path}" for path in LISTED)]
