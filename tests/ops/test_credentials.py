"""Secrets are made once, kept privately, and never overwritten."""

import hashlib
import stat
from pathlib import Path

import pytest

from ops import paths
from ops.credentials import generated, load_or_make
from ops.errors import OpsError
from ops.paths import StackPaths


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    monkeypatch.setattr(paths, "PRIVATE", tmp_path / ".aihub")
    return StackPaths("local")


def test_second_run_finds_the_same_secrets(stack: StackPaths) -> None:
    assert load_or_make(stack) == load_or_make(stack)


def test_only_the_owner_may_read_what_is_written(stack: StackPaths) -> None:
    load_or_make(stack)
    for path in (stack.secrets, stack.api_key, stack.passphrase):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(stack.directory.stat().st_mode) == 0o700


def test_damaged_secrets_are_named_and_left_alone(stack: StackPaths) -> None:
    load_or_make(stack)
    stack.secrets.write_text("{")
    with pytest.raises(OpsError, match=r"secrets\.json is not the JSON object"):
        load_or_make(stack)
    assert stack.secrets.read_text() == "{"


def test_cluster_gets_the_hash_of_the_key_only() -> None:
    credentials = generated()
    secrets = credentials.stack_secrets()
    assert credentials.api_key not in secrets.values()
    assert secrets["apiKeySha256"] == hashlib.sha256(credentials.api_key.encode()).hexdigest()


def test_no_two_are_alike() -> None:
    assert len({generated().api_key for _ in range(50)}) == 50
