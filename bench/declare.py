"""How long declaring a whole stack takes under the recorder, side by side for every stack."""

import statistics
import subprocess
import sys
import time

from bench.report import table, write
from ops.paths import CHECKOUT, stacks

RUNS = 3


def seconds(stack: str) -> list[float]:
    """Return the wall time of a fresh process that declares ``stack`` and writes its tree to nowhere lasting."""
    program = (
        "import tempfile, pathlib, time; begun = time.monotonic(); from infra import gitops; "
        "imported = time.monotonic(); gitops.render({stack!r}, pathlib.Path(tempfile.mkdtemp())); "
        "print(imported - begun, time.monotonic() - imported)"
    )
    times = []
    for _ in range(RUNS):
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-c", program.format(stack=stack)], cwd=CHECKOUT, check=True, capture_output=True
        )
        times.append(time.monotonic() - begun)
    return times


def main() -> None:
    """Measure every stack, in turn."""
    rows = []
    for stack in stacks():
        times = seconds(stack)
        rows.append([stack, f"{min(times):.2f}", f"{statistics.median(times):.2f}", f"{max(times):.2f}"])
    lines = table(["stack", "min s", "median s", "max s"], rows)
    lines += ["", f"{RUNS} fresh processes each: interpreter, imports, declaration and rendering."]
    write("declare", "Declaring a whole stack under the recorder", "python -m bench.declare", lines)


if __name__ == "__main__":
    main()
