"""Real processes: started again when they die, ended when told, never mistaken for others."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from cluster.components import services
from cluster.components.service import Service
from cluster.supervise.identity import Process
from cluster.supervise.processes import Processes
from cluster.supervise.runner import LONGEST_PAUSE_SECONDS, next_pause, rotate
from cluster.supervise.systemd import quoted, unit
from tests.cluster.support import node_in

TIMEOUT_SECONDS = 15
T = TypeVar("T")


def wait_for(condition: Callable[[], T]) -> T:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return found


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Processes]:
    keeper = Processes(run=tmp_path / "run", log=tmp_path / "log")
    yield keeper
    for name in keeper.names():
        keeper.stop(name)


def sleeper(marks: Path, **changes: object) -> Service:
    """A process that writes its number to a new line of ``marks`` and sleeps."""
    service = Service(name="sleeper", argv=("sh", "-c", f"echo $$ >> {marks}; exec sleep 600"), stop_seconds=5)
    return dataclasses.replace(service, **changes)


def pids(marks: Path) -> list[int]:
    return [int(line) for line in marks.read_text().split()] if marks.exists() else []


def test_a_killed_process_is_started_again(keeper: Processes, tmp_path: Path):
    marks = tmp_path / "marks"
    keeper.start(sleeper(marks))
    first = wait_for(lambda: pids(marks))[0]
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: pids(marks)[1:])[0]
    assert Process.of(second)
    assert "sleeper ended (-9)" in (tmp_path / "log" / "sleeper.log").read_text()


def test_stopping_ends_the_process_and_leaves_no_record(keeper: Processes, tmp_path: Path):
    marks = tmp_path / "marks"
    keeper.start(sleeper(marks))
    pid = wait_for(lambda: pids(marks))[0]
    assert keeper.running_digest("sleeper") == sleeper(marks).digest()
    keeper.stop("sleeper")
    assert Process.of(pid) is None
    assert keeper.running_digest("sleeper") is None
    assert keeper.names() == []
    time.sleep(1)
    assert len(pids(marks)) == 1


def test_a_process_that_ignores_the_request_is_killed(keeper: Processes, tmp_path: Path):
    marks = tmp_path / "marks"
    stubborn = ("sh", "-c", f"trap '' TERM; echo $$ >> {marks}; while :; do sleep 1; done")
    keeper.start(sleeper(marks, argv=stubborn, stop_seconds=1))
    pid = wait_for(lambda: pids(marks))[0]
    keeper.stop("sleeper")
    assert Process.of(pid) is None


def test_what_a_killed_runner_left_behind_is_ended_by_the_next_start(keeper: Processes, tmp_path: Path):
    marks = tmp_path / "marks"
    keeper.start(sleeper(marks))
    orphan = wait_for(lambda: pids(marks))[0]
    child = tmp_path / "run" / "sleeper.child"
    wait_for(child.exists)
    os.kill(json.loads((tmp_path / "run" / "sleeper.runner").read_text())["pid"], signal.SIGKILL)
    wait_for(lambda: keeper.running_digest("sleeper") is None)
    assert Process.of(orphan)
    keeper.start(sleeper(marks))
    assert Process.of(orphan) is None
    wait_for(lambda: pids(marks)[1:])


def test_a_command_that_is_not_there_is_reported_and_tried_again(keeper: Processes, tmp_path: Path):
    keeper.start(Service(name="absent", argv=("/no/such/program",)))
    log = tmp_path / "log" / "absent.log"
    wait_for(lambda: log.read_text().count("No such file or directory: '/no/such/program'") >= 2)


def test_commands_before_the_start_run_and_may_fail(keeper: Processes, tmp_path: Path):
    marks, made = tmp_path / "marks", tmp_path / "made"
    keeper.start(sleeper(marks, prepare=(("false",), ("mkdir", str(made)))))
    wait_for(lambda: pids(marks))
    assert made.is_dir()


def test_a_number_given_again_is_not_the_same_process():
    own = Process.of(os.getpid())
    assert own
    assert own.is_alive()
    stranger = Process(own.pid, own.started_ticks - 1)
    assert not stranger.is_alive()
    stranger.end(timeout_seconds=1)  # would end this test run


def test_a_zombie_is_not_alive():
    child = subprocess.Popen(["true"])
    wait_for(lambda: Process.of(child.pid) is None)
    child.wait()


def test_the_pause_doubles_up_to_a_limit_and_is_forgotten_after_a_steady_run():
    pause, seen = 0.25, []
    for _ in range(10):
        pause = next_pause(pause, ran_seconds=1)
        seen.append(pause)
    assert seen[:4] == [0.5, 1, 2, 4]
    assert seen[-1] == LONGEST_PAUSE_SECONDS
    assert next_pause(pause, ran_seconds=61) == 0.5


def test_a_log_is_rotated_without_losing_its_writer(tmp_path: Path):
    log = tmp_path / "x.log"
    with log.open("a") as writer:
        for number in range(4):
            writer.write(f"part {number} " + "x" * 100)
            writer.flush()
            rotate(log, limit=100)
        writer.write("last")
    assert log.read_text() == "last"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2"]
    assert log.with_name("x.log.1").read_text().startswith("part 3")


def test_a_unit_says_the_same_as_the_service(tmp_path: Path):
    for service in services(node_in(tmp_path)):
        text = unit(service)
        assert f"X-Aihub-Digest={service.digest()}" in text
        assert "Restart=always" in text
        assert all(quoted(argument) in text for argument in service.argv)


def test_systemd_accepts_the_units(tmp_path: Path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    for service in services(node_in(tmp_path)):
        runnable = dataclasses.replace(service, argv=(sys.executable, *service.argv[1:]))
        (tmp_path / f"aihub-{service.name}.service").write_text(unit(runnable))
    files = sorted(str(path) for path in tmp_path.glob("*.service"))
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    assert not [line for line in done.stderr.splitlines() if "aihub-" in line]


@pytest.mark.parametrize(("argument", "text"), [("a b", '"a b"'), ('"', '"\\""'), ("100%$HOME", '"100%%$$HOME"')])
def test_an_argument_means_itself_in_a_unit(argument: str, text: str):
    assert quoted(argument) == text
