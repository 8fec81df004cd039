"""The commands' own judgement: bad input is named, with its fix, before anything changes."""

import errno
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from ops import __main__, access, chat, doctor, machine, verify
from ops.clients.chat import answer_of
from ops.errors import OpsError
from ops.paths import CHECKOUT, StackPaths
from toolchain.cache import cache_root


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


def handed_on(target: str, *words: str, **environment: str) -> list[str]:
    """Return the command line that `make` would run, after the command's name."""
    command = ["make", "--dry-run", "--no-print-directory", target, *words]
    # Below `make test` its own words would come along.
    shell = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")} | environment
    shown = subprocess.run(command, cwd=CHECKOUT, env=shell, capture_output=True, text=True, check=True).stdout
    python, *rest = shlex.split(shown)
    assert (python, rest[:3]) == ("python3", ["-m", "ops", target])
    return rest[3:]


@pytest.mark.parametrize(
    ("target", "word", "option"),
    [
        ("documents", "DIR", "--dir"),
        ("chat", "MODEL", "--model"),
        ("render", "OUT", "--out"),
        ("compose", "OUT", "--out"),
        ("backup", "OUT", "--out"),
        ("diff", "BASE", "--base"),
        ("restore", "FROM", "--from"),
        ("restore", "INTO", "--into"),
        ("vault", "NAME", "--name"),
        ("test", "ONLY", "--only"),
    ],
)
def test_make_hands_on_a_name_with_blanks(target: str, word: str, option: str) -> None:
    assert handed_on(target, f"{word}=my own/papers")[-2:] == [option, "my own/papers"]


def test_make_listens_to_its_command_line_and_not_to_the_environment() -> None:
    """WSL sets NAME to the computer's name in every shell; VOLUMES=delete would be somebody's data."""
    makefile = (CHECKOUT / "Makefile").read_text()
    words = re.findall(r"\$\(([A-Z]+)\)", makefile)
    for target in __main__.COMMANDS:
        assert handed_on(target, **dict.fromkeys(words, "delete")) == handed_on(target)
    assert handed_on("destroy", "VOLUMES=delete", NAME="DESKTOP-1")[-1] == "delete"


def test_a_home_folder_that_the_shell_left_closed_is_opened() -> None:
    assert __main__.parser().parse_args(["render", "--out", "~/tree"]).out == Path.home() / "tree"


def test_a_model_is_named_as_the_service_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.paths.PRIVATE", tmp_path / ".aihub")
    monkeypatch.delenv("CHATBOT_MODEL", raising=False)
    (tmp_path / "models" / "own").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for given, told in {"models/own": str(tmp_path / "models" / "own"), "Qwen/Qwen3-0.6B": "Qwen/Qwen3-0.6B"}.items():
        assert chat.settings(StackPaths("chat"), "key", 8000, given)["CHATBOT_MODEL"] == told
    assert "CHATBOT_MODEL" not in chat.settings(StackPaths("chat"), "key", 8000)


def test_a_path_without_sbin_is_completed_before_anything_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "argv", ["ops", "doctor"])
    monkeypatch.setattr(doctor, "run", lambda _: 0 if "/usr/sbin" in os.environ["PATH"].split(":") else 1)
    assert __main__.main() == 0


@pytest.mark.parametrize("own_node", [True, False])
def test_verify_looks_at_the_certificates_of_our_own_node_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own_node: bool
) -> None:
    ending = machine.Finding(name="certificates", ok=False, says="until tomorrow", fix="make up renews them")
    monkeypatch.setattr(verify, "resume", lambda _: Mock(outputs={}))
    monkeypatch.setattr(verify, "checks", lambda *_: [])
    monkeypatch.setattr(access, "of_stack", lambda _: Mock(own_node=own_node))
    monkeypatch.setattr(machine, "certificates", lambda _: [ending])
    assert verify.run(StackPaths("local"), as_json=False) == int(own_node)
    assert ("make up renews them" in capsys.readouterr().out) is own_node


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


def test_room_is_asked_for_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {CHECKOUT: 12.0, cache_root(): 30.0, Path("/var/lib"): 2.0}
    monkeypatch.setattr(machine, "free_gib", free.__getitem__)
    assert not machine.disk(10).ok, "the node's disk"
    finding = machine.disk(20, CHECKOUT, cache_root())
    assert (finding.ok, finding.says) == (False, f"12 GiB free on the disk of {CHECKOUT}, 20 GiB needed")


def test_the_chat_alone_asks_for_no_room_where_a_node_would_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {CHECKOUT: 12.0, cache_root(): 30.0, Path("/var/lib"): 2.0}
    monkeypatch.setattr(machine, "free_gib", free.__getitem__)
    monkeypatch.setattr(chat, "SERVICE_VENV", Path("/absent"))
    monkeypatch.setattr(chat, "locked", Mock(side_effect=InterruptedError))
    with pytest.raises(InterruptedError):  # further than the look at the disk
        chat.run()
    free[CHECKOUT] = 9.0
    with pytest.raises(OpsError, match="9 GiB free"):
        chat.run()


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
