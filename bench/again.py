"""What a second `pulumi up` and a `pulumi refresh` take on an installation that is as it was declared: stack `local`.

Both must change nothing, or nothing is written. With ``--yes`` it runs `make up` first.
"""

import json
import shlex
import statistics
import subprocess
import sys
import time

from bench.report import table, write
from ops.paths import CHECKOUT, StackPaths

RUNS = 3
STACK = "local"
COMMANDS = {
    "`pulumi preview`": "preview --expect-no-changes",
    "second `pulumi up`": "up --yes --skip-preview --expect-no-changes",
    "`pulumi refresh`": "refresh --yes --skip-preview --expect-no-changes",
}


def by_hand(command: str) -> str:
    """Run Pulumi as a person would, in the stack's environment; return what it printed."""
    line = f"source {shlex.quote(str(StackPaths(STACK).environment))} && pulumi {command} --non-interactive"
    done = subprocess.run(["bash", "-c", line], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"pulumi {command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def spread(command: str) -> str:
    """Return the least, the median and the most seconds of a command."""
    took = []
    for _ in range(RUNS):
        begun = time.monotonic()
        by_hand(command)
        took.append(time.monotonic() - begun)
    return f"{min(took):.1f} / {statistics.median(took):.1f} / {max(took):.1f}"


def main() -> None:
    """Measure, and write the table."""
    if "--yes" in sys.argv:
        subprocess.run(["make", "up", f"STACK={STACK}"], cwd=CHECKOUT, check=True)
    if not StackPaths(STACK).environment.exists():
        sys.exit(f"there is no installation here: make up STACK={STACK}")
    rows = [[name, spread(command)] for name, command in COMMANDS.items()]
    resources = json.loads(by_hand("stack export"))["deployment"]["resources"]
    objects = sum(each["type"].startswith("kubernetes:") for each in resources)
    lines = [
        f"{len(resources)} resources in the state, components and providers too; {objects} are objects of Kubernetes. "
        "Each command found all of them as declared and changed nothing.",
        "",
        *table(["command", f"seconds, {RUNS} runs: min / median / max"], rows),
    ]
    write("again", "A second `pulumi up` and a `pulumi refresh` that change nothing", "python -m bench.again", lines)


if __name__ == "__main__":
    main()
