"""The commands' own judgement: bad input is named, with its fix, before anything changes."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ops import documents, machine
from ops.chat_client import answer_of
from ops.errors import OpsError
from ops.paths import CHECKOUT


def ops(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


def test_unknown_stack_is_named_with_those_that_exist() -> None:
    done = ops("preview", "--stack", "prod")
    assert done.returncode == 2
    assert "there is no stack 'prod'" in done.stderr
    assert "dev, local, wsl" in done.stderr


def test_documents_without_a_folder_says_how() -> None:
    done = ops("documents")
    assert done.returncode == 2
    assert "make documents DIR=" in done.stderr


def test_folder_without_documents_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "picture.png").touch()
    with pytest.raises(OpsError, match=str(tmp_path)):
        documents.documents_below(tmp_path)


def test_documents_are_found_below_and_hidden_ones_left_out(tmp_path: Path) -> None:
    for name in ("a.md", "sub/b.PDF", "sub/c.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in documents.documents_below(tmp_path)] == ["a.md", "b.PDF"]


def test_every_lack_is_named_at_once() -> None:
    lacks = [machine.Finding(name=name, ok=False, says=f"no {name}", fix=f"get {name}") for name in ("root", "disk")]
    with pytest.raises(OpsError, match=r"(?s)no root.*get root.*no disk.*get disk"):
        machine.demand(lacks)


def test_a_taken_port_is_named_with_how_to_find_its_holder() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = machine.port(taken.getsockname()[1], "the chat")
    assert not found.ok
    assert "ss -ltnp" in found.fix


def test_stream_becomes_text_with_citations() -> None:
    events = [
        {"citations": [{"index": 1}], "choices": [{"delta": {"role": "assistant"}}]},
        {"choices": [{"delta": {"content": "It "}}]},
        {"choices": [{"delta": {"content": "starts [1]."}}]},
    ]
    assert answer_of(iter(events)) == ("It starts [1].", [{"index": 1}], 2)
