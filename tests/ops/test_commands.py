"""The commands' own judgement: bad input is named, with its fix, before anything changes."""

import errno
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from ops import __main__, chat, machine, verify
from ops.chat_client import answer_of
from ops.errors import OpsError
from ops.paths import CHECKOUT, StackPaths


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


def test_make_hands_on_a_name_with_blanks() -> None:
    for target, variable, option in (("documents", "DIR", "--dir"), ("chat", "MODEL", "--model")):
        command = ["make", "--dry-run", "--no-print-directory", target, f"{variable}=my own/papers"]
        shown = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
        assert shlex.split(shown)[-2:] == [option, "my own/papers"]


def test_a_model_is_named_as_the_service_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.paths.PRIVATE", tmp_path / ".aihub")
    monkeypatch.delenv("CHATBOT_MODEL", raising=False)
    (tmp_path / "models" / "own").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for given, told in {"models/own": str(tmp_path / "models" / "own"), "Qwen/Qwen3-0.6B": "Qwen/Qwen3-0.6B"}.items():
        assert chat.settings(StackPaths("chat"), "key", 8000, given)["CHATBOT_MODEL"] == told
    assert "CHATBOT_MODEL" not in chat.settings(StackPaths("chat"), "key", 8000)


def test_what_belongs_to_root_is_named_with_the_way_to_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ops", "verify"])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(__main__, "enter_environment", lambda: None)
    denied = PermissionError(errno.EACCES, "Permission denied", "/opt/aihub/.aihub/local")
    monkeypatch.setattr(__main__, "dispatch", Mock(side_effect=denied))
    assert __main__.main() == 2
    said = capsys.readouterr().err
    assert "/opt/aihub/.aihub/local: not for user 1000" in said
    assert "sudo make verify" in said


@pytest.mark.parametrize("command", ["verify", "drift"])
def test_machines_are_told_why_nothing_could_be_asked(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ops", command, "--json"])
    monkeypatch.setattr(__main__, "enter_environment", lambda: None)
    monkeypatch.setattr(__main__, "dispatch", Mock(side_effect=OpsError("the cluster does not answer", "make up")))
    assert __main__.main() == 2
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told.pop("error"), told) == (err.strip(), {"stack": "local", "ok": False, "checks": []})


def test_one_bad_check_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = (machine.Finding(name=name, ok=name == "good", says="it", fix="mend it") for name in ("good", "bad"))
    for as_json in (False, True):
        assert verify.report("local", [good], as_json) == 0
        capsys.readouterr()
        assert verify.report("local", [good, bad], as_json) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], [check["ok"] for check in told["checks"]]) == (False, [True, False])


def test_another_processor_is_refused_before_a_node_is_made_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.architecture().ok
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(OpsError, match=r"(?s)processor: aarch64.*x86_64"):
        machine.demand([machine.architecture()])


def test_every_lack_is_named_at_once() -> None:
    lacks = [machine.Finding(name=name, ok=False, says=f"no {name}", fix=f"get {name}") for name in ("root", "disk")]
    with pytest.raises(OpsError, match=r"(?s)no root.*get root.*no disk.*get disk"):
        machine.demand(lacks)


def test_stream_becomes_text_with_citations() -> None:
    events = [
        {"citations": [{"index": 1}], "choices": [{"delta": {"role": "assistant"}}]},
        {"choices": [{"delta": {"content": "It "}}]},
        {"choices": [{"delta": {"content": "starts [1]."}}]},
    ]
    assert answer_of(iter(events)) == ("It starts [1].", [{"index": 1}], 2)
