"""Secrets are made once, kept privately, and never overwritten; what is derived follows its source."""

import hashlib
import stat
from pathlib import Path

import bcrypt
import pytest

from infra.config.secret_keys import Derivation, Hash, Origin, SecretKey
from ops import paths, signing_key
from ops.credentials import completed, keep, load_or_make, stack_config
from ops.errors import OpsError
from ops.paths import StackPaths


def key(name: str, origin: Origin = Origin.RANDOM, derivation: Derivation | None = None) -> SecretKey:
    return SecretKey(name=name, purpose=f"for {name}", is_needed=lambda _: True, origin=origin, derivation=derivation)


ACCOUNT = key("account", Origin.DERIVED, Derivation(source="password", hash=Hash.HTPASSWD))
HASHED = key("hashed", Origin.DERIVED, Derivation(source="password", hash=Hash.BCRYPT))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    monkeypatch.setattr(paths, "PRIVATE", tmp_path / ".aihub")
    return StackPaths("local")


def test_second_run_finds_the_same_secrets(stack: StackPaths) -> None:
    assert load_or_make(stack, stack_config("local")) == load_or_make(stack, stack_config("local"))


def test_only_the_owner_may_read_what_is_written(stack: StackPaths) -> None:
    load_or_make(stack)
    for path in (stack.secrets, stack.api_key, stack.passphrase):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(stack.directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("text", ["{", "[]", '{"apiKey": 1}'])
def test_damaged_secrets_are_named_and_left_alone(stack: StackPaths, text: str) -> None:
    load_or_make(stack)
    stack.secrets.write_text(text)
    with pytest.raises(OpsError, match=r"secrets\.json is not the JSON object"):
        load_or_make(stack)
    assert stack.secrets.read_text() == text


def test_cluster_gets_the_hash_of_the_key_only(stack: StackPaths) -> None:
    credentials = load_or_make(stack, stack_config("local"))
    secrets = credentials.stack_secrets()
    assert set(secrets) == {"redisPassword", "engineKey", "apiKeySha256"}
    assert credentials.api_key not in secrets.values()
    assert secrets["apiKeySha256"] == hashlib.sha256(credentials.api_key.encode()).hexdigest()


def test_no_two_are_alike() -> None:
    assert len({completed({}, [key("a")])["a"] for _ in range(50)}) == 50


def test_a_salted_hash_is_kept_until_its_source_changes() -> None:
    first = completed({}, [ACCOUNT, HASHED], "builder")
    name, _, hashed = first["account"].partition(":")
    assert name == "builder"
    assert bcrypt.checkpw(first["password"].encode(), hashed.encode())
    assert completed(first, [ACCOUNT, HASHED], "builder") == first
    renewed = completed({**first, "password": "another"}, [ACCOUNT, HASHED], "builder")
    assert bcrypt.checkpw(b"another", renewed["hashed"].encode())
    assert renewed["account"] != first["account"]
    assert completed(first, [ACCOUNT], "someone-else")["account"].startswith("someone-else:")


SIGNING = key("cosignKey", Origin.DERIVED, Derivation(source="cosignPassword", hash=Hash.COSIGN))


def test_a_signing_key_is_made_once_and_belongs_to_its_password(stack: StackPaths) -> None:
    rows = [SIGNING, key("cosignPassword")]
    first = completed({}, rows)
    assert completed(first, rows) == first
    keep(stack, first)
    public = stack.signing_key.read_text()
    assert public == signing_key.public_half(first["cosignKey"], first["cosignPassword"])
    keep(stack, completed({**first, "cosignPassword": "another"}, rows))
    assert stack.signing_key.read_text() not in (public, "")


def test_a_key_that_a_person_made_is_kept(stack: StackPaths) -> None:
    theirs = {"cosignKey": signing_key.make("theirs"), "cosignPassword": "theirs"}
    assert completed(theirs, [SIGNING, key("cosignPassword")])["cosignKey"] == theirs["cosignKey"]


def test_what_only_a_person_has_is_asked_for_by_name(stack: StackPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    given = key("gitToken", Origin.GIVEN)
    follows = key("gitAccount", Origin.DERIVED, Derivation(source="gitToken", hash=Hash.HTPASSWD))
    monkeypatch.setattr("ops.credentials.wanted_by", lambda _: (follows, given, key("other")))
    with pytest.raises(OpsError, match=r"(?s)gitToken: for gitToken.*make secret STACK=local NAME=") as caught:
        load_or_make(stack, stack_config("local"))
    assert "gitAccount" not in str(caught.value)


def test_a_random_value_without_a_digit_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Harbor refuses it, and with it the whole `up`."""
    drawn = iter(["abcDEF", "ABC123", "abcDEF123"])
    monkeypatch.setattr("ops.credentials.secrets.token_urlsafe", lambda _: next(drawn))
    assert completed({"passphrase": "x", "apiKey": "x"}, [key("robot")])["robot"] == "abcDEF123"
