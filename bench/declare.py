"""How long declaring a whole stack takes under the recorder, side by side for every stack."""

import statistics
import subprocess
import sys

from bench.report import table, write
from ops.paths import CHECKOUT, stacks

RUNS = 5
PROGRAM = """
import time
begun = time.monotonic()
from infra.program import deploy
from infra.recorder import record
from infra.stackfile import configuration, placeholder_secrets
imported = time.monotonic()
found = record(deploy, stack={stack!r}, config=configuration({stack!r}), secrets=placeholder_secrets())
print(imported - begun, time.monotonic() - imported, len(found.resources))
"""


def measured(stack: str) -> tuple[float, float, int]:
    """Return the seconds that a fresh process imports and declares, and how many resources it declares."""
    command = [sys.executable, "-c", PROGRAM.format(stack=stack)]
    done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    imports, declares, resources = done.stdout.split()
    return float(imports), float(declares), int(resources)


def main() -> None:
    """Measure every stack, in turn."""
    rows = []
    for stack in stacks():
        runs = [measured(stack) for _ in range(RUNS)]
        imports, declares = ([run[part] for run in runs] for part in (0, 1))
        cells = [
            f"{least:.2f} / {statistics.median(part):.2f} / {most:.2f}"
            for part in (declares, imports)
            for least, most in [(min(part), max(part))]
        ]
        rows.append([stack, str(runs[0][2]), *cells])
    lines = table(["stack", "resources", "declaring, s (min / median / max)", "imports before it, s"], rows)
    lines += ["", f"{RUNS} fresh processes each. The imports are those of Pulumi's libraries; tests pay them once."]
    write("declare", "Declaring a whole stack under the recorder", "python -m bench.declare", lines)


if __name__ == "__main__":
    main()
