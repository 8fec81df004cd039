"""``python -m cluster.supervise.runner SPEC``: run one process for ever.

It starts the process again with a growing pause when it ends, keeps its log small, and ends it when told to end.
Standard library only, for one of these runs beside each of the node's processes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cluster.supervise.identity import Process

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A process that ran this long has its pause forgotten."""
LOG_BYTES = 10 * 2**20
LOG_FILES = 2
LOOK_SECONDS = 0.5
"""How often the process and the size of its log are looked at."""


class Stopped(Exception):  # noqa: N818 - not an error: the way out of every wait
    """Somebody told this runner to end."""


def stop(_signal: int, _frame: FrameType | None) -> None:
    """Leave whatever is being done."""
    raise Stopped


def next_pause(pause: float, ran_seconds: float) -> float:
    """Return how long to wait before the next start: doubled, unless the last run was steady."""
    return FIRST_PAUSE_SECONDS if ran_seconds >= STEADY_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)


def rotate(log: Path, limit: int = LOG_BYTES) -> None:
    """Copy a log that grew over ``limit`` bytes aside and empty it; the process goes on writing to the same file."""
    if not log.exists() or log.stat().st_size < limit:
        return
    for number in range(LOG_FILES - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)


@dataclass(frozen=True, kw_only=True)
class Specification:
    """What a runner is told, as JSON."""

    name: str
    argv: list[str]
    environment: dict[str, str]
    """Added to the runner's own."""
    prepare: list[list[str]]
    """Commands run before each start; their failure is ignored."""
    stop_seconds: int
    log: str
    digest: str
    """Tells the supervisor whether what runs is what is wanted."""


def run_once(spec: Specification, child_record: Path) -> int:
    """Prepare, start the process, and return its exit status when it ends.

    Raises:
        Stopped: we were told to end; the process has ended.
    """
    log = Path(spec.log)
    environment = {**os.environ, **spec.environment}
    with log.open("a") as output:
        for command in spec.prepare:
            subprocess.run(command, stdout=output, stderr=output, check=False)
        child = subprocess.Popen(spec.argv, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        process = Process.of(child.pid)
        child_record.write_text(json.dumps(vars(process)) if process else "{}")
        while True:
            try:
                return child.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                rotate(log)
    except Stopped:
        child.terminate()
        try:
            child.wait(spec.stop_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
    finally:
        child_record.unlink(missing_ok=True)


def main() -> int:
    """Run the process that the file named on the command line describes, until SIGTERM."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    path = Path(sys.argv[1])
    spec = Specification(**json.loads(path.read_text()))
    child_record = path.with_suffix(".child")
    pause = FIRST_PAUSE_SECONDS / 2
    try:
        while True:
            begun = time.monotonic()
            try:
                status: int | str = run_once(spec, child_record)
            except OSError as error:
                status = str(error)
            pause = next_pause(pause, time.monotonic() - begun)
            with Path(spec.log).open("a") as output:
                print(f"{spec.name} ended ({status}); started again in {pause:g} s", file=output)
            time.sleep(pause)
    except Stopped:
        return 0


if __name__ == "__main__":
    sys.exit(main())
