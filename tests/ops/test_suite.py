"""The suite: no part runs before the tools that its tests would be skipped without."""

import json
import os
import re
import threading
from pathlib import Path

import pytest

from bench.suite import lines_of
from ops import suite
from ops.paths import CHECKOUT
from ops.suite import CHECKS, HEAVY, SERVERS, Part, Result


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


def test_whatever_needs_the_node_is_run_by_the_part_that_has_one() -> None:
    (live,) = (part for part in HEAVY if part.name == "live")
    folders = [CHECKOUT / argument for argument in live.argv if argument.startswith("tests/")]
    marked = [
        path
        for path in (CHECKOUT / "tests").rglob("test_*.py")
        if re.search(r"^(?:pytestmark = |@)pytest\.mark\.live$", path.read_text(), re.MULTILINE)
    ]
    assert len(marked) > 5
    assert [path for path in marked if not any(folder in path.parents for folder in folders)] == []


def test_the_lanes_share_no_part_and_whoever_needs_tools_waits_for_them() -> None:
    parts = [part for lane in (CHECKS, SERVERS, HEAVY) for part in lane]
    assert len({part.name for part in parts}) == len(parts)
    assert SERVERS[0].tools, "then the page is built, too"


def test_the_lanes_run_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits for the other two: one after the other they would never end."""
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr(suite, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(suite, "_prepare", lambda _: dict(os.environ))
    monkeypatch.setattr(suite, "ensure", lambda *_: tmp_path)
    names = ("checks", "servers", "heavy")
    for name, lane in zip(names, ("CHECKS", "SERVERS", "HEAVY"), strict=True):
        others = " && ".join(f"[ -e {other} ]" for other in names)
        script = f"touch {name}; for _ in $(seq 100); do {others} && exit 0; sleep 0.1; done; exit 1"
        part = Part(name=name, argv=["sh", "-c", script], folder=tmp_path, tools=lane == "SERVERS")
        monkeypatch.setattr(suite, lane, (part,))
    assert suite.run([]) == 0
    sums = json.loads((tmp_path / "logs" / "sums.json").read_text())
    assert (sums["passed"], sums["failed"], sums["skipped"], set(sums["parts"])) == (3, 0, 0, set(names))
    said = "\n".join(lines_of({"cold": sums, "warm": {**sums, "seconds": 83, "parts": {**sums["parts"], "heavy": 61}}}))
    assert "Warm: **1 min 23 s**, 3 passed, 0 failed, 0 skipped, at " in said
    assert re.search(r"^\| heavy \| \d+ s \| 1 min 01 s \|$", said, re.MULTILINE)
