"""First values: what can be made here, what follows what, and what only a person has."""

import hashlib
from typing import Any

import pytest

from infra.config import StackConfig
from infra.config.secret_keys import Derivation, Hash, Origin, SecretKey
from infra.config.secrets import SecretsConfig
from infra.secrets.entries import Entry, entries
from ops import paths as places
from ops import vault
from ops.clients.vault import Keys
from ops.credentials import stack_config
from ops.errors import OpsError
from ops.paths import StackPaths
from ops.preflight.vault import looks
from ops.vault import first_values, listing

DEV = stack_config("dev")


def row(name: str, origin: Origin = Origin.RANDOM, of: str = "", **more: Any) -> Entry:
    derivation = Derivation(source=of, hash=Hash.SHA256) if of else None
    secret = SecretKey(name=name, purpose="x", is_needed=lambda _: True, origin=origin, derivation=derivation, **more)
    return Entry(path="chat", secret=secret)


KEY, HASH = row("analysisKey"), row("analysisKeySha256", Origin.DERIVED, "analysisKey")
PEOPLES = row("apiKeySha256", Origin.DERIVED, "apiKey")
GIVEN = row("gitToken", Origin.GIVEN)
SHARED = row("gitWebhookSecret", also_in_vault=True)


def first(*wanted: Entry, there: str = "", known: dict[str, str] | None = None) -> vault.First:
    return first_values(wanted, {"chat": Keys(names=frozenset(there.split()), version=1)}, known or {})


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_hash_follows_its_source_and_both_go_to_vault() -> None:
    made = first(KEY, HASH)
    values = made.values["chat"]
    assert values["analysisKeySha256"] == sha256(values["analysisKey"])
    assert (made.kept, made.left) == ({}, {})


def test_the_source_that_people_use_stays_here() -> None:
    made = first(PEOPLES)
    assert made.values == {"chat": {"apiKeySha256": sha256(made.kept["apiKey"])}}
    again = first(PEOPLES, known={"apiKey": "kept before"})
    assert again.values == {"chat": {"apiKeySha256": sha256("kept before")}}


def test_half_of_a_pair_is_not_made_to_fit_blindly() -> None:
    made = first(KEY, HASH, there="analysisKey")
    assert made.values == {}
    assert "follows analysisKey, which is there" in made.left["analysisKeySha256"]
    made = first(KEY, HASH, there="analysisKeySha256")
    assert made.values == {}
    assert "analysisKeySha256 follows it and is there" in made.left["analysisKey"]


def test_what_this_program_needs_too_is_the_same_in_both_places() -> None:
    made = first(SHARED)
    assert made.values["chat"]["gitWebhookSecret"] == made.kept["gitWebhookSecret"]
    assert first(SHARED, known={"gitWebhookSecret": "s"}).values == {"chat": {"gitWebhookSecret": "s"}}


def test_a_given_one_waits_for_a_person() -> None:
    assert first(GIVEN).left == {"gitToken": "only a person has it"}
    assert first(GIVEN, known={"gitToken": "t"}).values == {"chat": {"gitToken": "t"}}


def test_nothing_is_made_for_an_entry_that_could_not_be_looked_at() -> None:
    made = first_values([KEY], {}, {})
    assert (made.values, made.kept, made.left) == ({}, {}, {})


def test_what_is_there_is_left_alone() -> None:
    made = first(KEY, HASH, GIVEN, there="analysisKey analysisKeySha256 gitToken")
    assert (made.values, made.kept, made.left) == ({}, {}, {})


def test_listing_names_entry_key_origin_and_purpose(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "PRIVATE", tmp_path)
    monkeypatch.setattr(vault, "from_environment", lambda _: None)
    assert vault.run(StackPaths("dev"), fill=False, name="") == 0
    printed = capsys.readouterr().out
    assert "secret/aipp/pgvector     aippDatabasePassword     random   -        the vendor's services" in printed
    assert "Nothing was looked for" in printed
    states = listing(entries(DEV), "secret", {"aipp/redis": Keys()})
    assert "aippRedisPassword        random   missing" in states
    with pytest.raises(OpsError, match="needs a token"):
        vault.run(StackPaths("dev"), fill=True, name="")


def test_a_stack_without_vault_is_sent_to_its_own_list(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PRIVATE", tmp_path)
    with pytest.raises(OpsError, match="make secret STACK=local"):
        vault.run(StackPaths("local"), fill=False, name="")


def without_access() -> StackConfig:
    config = DEV.secrets.vault
    assert config
    return DEV.model_copy(update={"secrets": SecretsConfig(vault=config.model_copy(update={"access": None}))})


def test_without_a_token_only_what_writes_policies_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.preflight.vault.from_environment", lambda _: None)
    (found,) = looks("dev", DEV)
    assert not found.ok
    assert "pulumi up writes policies" in found.says
    (found,) = looks("dev", without_access())
    assert found.ok
    assert looks("dev", DEV.model_copy(update={"secrets": SecretsConfig()})) == []
