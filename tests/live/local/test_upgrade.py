"""An upgrade with data in it: the last release makes the installation, and this checkout takes it over."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.access import kubectl
from ops.clients.chat import answer_of
from ops.paths import CHECKOUT, StackPaths
from tests.live.conftest import Installation, by_hand, make

pytestmark = pytest.mark.live

FACT = "The lighthouse of Hwado was painted green in 1987 by the keeper's daughter."
QUESTION = "What colour is the lighthouse of Hwado?"
NAME = "custom-columns=:.metadata.namespace,:.metadata.name,:.metadata.uid"


def git(*arguments: str) -> str:
    command = ["git", "-C", str(CHECKOUT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def claims() -> set[str]:
    """Return each claim of the node with its UID."""
    said = by_hand(f"{kubectl()} get persistentvolumeclaims --all-namespaces --no-headers --output {NAME}")
    assert said.returncode == 0, said.stderr
    return set(said.stdout.splitlines())


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return a checkout of the last release: of the commit that last wrote down what holds data."""
    folder = tmp_path / "release"
    git("clone", "--quiet", "--no-checkout", str(CHECKOUT), str(folder))
    git("-C", str(folder), "checkout", "--quiet", git("log", "-1", "--format=%H", "--", "tests/stacks/held"))
    return folder


@pytest.fixture
def taken_away() -> Iterator[None]:
    """Leave nothing of the installation, wherever it ended."""
    mine = StackPaths("local").directory
    assert not any(mine.iterdir()), f"{mine} belongs to an installation, and this test would overwrite it"
    yield
    subprocess.run([sys.executable, "-m", "cluster", "reset"], cwd=CHECKOUT, check=False)
    shutil.rmtree(mine)


@pytest.mark.skipif(os.environ.get("AIHUB_LIVE") != "local", reason="run by: make live STACK=local")
def test_data_of_the_last_release_are_there_after_the_upgrade(release: Path, taken_away: None, tmp_path: Path) -> None:
    installation = Installation(output=make("up", folder=release))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "lighthouse.md").write_text(f"# The lighthouse\n\n{FACT}\n")
    make("documents", f"DIR={tmp_path / 'texts'}", folder=release)
    chat = installation.chat
    conversation = chat.json("POST", "/api/conversations", {"title": "Before the upgrade"})["id"]
    body = {"model": "d", "conversation_id": conversation, "messages": [{"role": "user", "content": QUESTION}]}
    chat.json("POST", "/v1/chat/completions", body)
    written = chat.json("GET", f"/api/conversations/{conversation}")["messages"]
    assert len(written) == 2

    # Who pulls a release keeps the folder beside it: secrets, passphrase and state are the installation's.
    shutil.copytree(release / ".aihub" / "local", StackPaths("local").directory, dirs_exist_ok=True)
    before = claims()
    assert len(before) > 2
    installation.up()

    assert before <= claims()
    chat = installation.chat
    assert chat.json("GET", f"/api/conversations/{conversation}")["messages"] == written
    text, citations, _ = answer_of(chat.stream(QUESTION))
    assert "green" in text
    assert any("lighthouse.md" in citation["title"] for citation in citations)
    make("verify")
