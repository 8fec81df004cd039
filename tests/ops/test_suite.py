"""The suite: no part runs before the tools that its tests would be skipped without."""

import os
import threading
from pathlib import Path

import pytest

from ops import suite
from ops.suite import CHECKS, Part, Result


def test_a_part_waits_for_the_tools_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "LOGS", tmp_path)
    parts = [
        Part(name="first", argv=["true"], folder=tmp_path),
        Part(name="waits", argv=["true"], folder=tmp_path, tools=True),
    ]
    results: list[Result] = []
    tools = threading.Event()
    lane = threading.Thread(target=suite._lane, args=(parts, dict(os.environ), results, tools))
    lane.start()
    lane.join(1)
    assert [result.name for result in results] == ["first"]
    tools.set()
    lane.join(10)
    assert [result.name for result in results] == ["first", "waits"]


def test_the_program_is_such_a_part() -> None:
    assert [part.name for part in CHECKS if part.tools] == ["program"]


def test_what_takes_long_to_build_runs_only_when_it_is_named() -> None:
    assert "vault" not in {part.name for part in suite.parts_of(suite.HEAVY, [])}
    assert [part.name for part in suite.parts_of(suite.HEAVY, ["vault"])] == ["vault"]
    (program,) = (part for part in suite.CHECKS if part.name == "program")
    assert "not live and not vault" in program.argv
