"""How long a whole stack takes to be declared, rendered and previewed, and how much it is, for every stack."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from bench.report import table, write
from ops.paths import CHECKOUT, stacks

RUNS = 5
WHOLE_COMMANDS = 3
"""How often a command is run that takes long."""
PROGRAM = """
import time
begun = time.monotonic()
from infra.program import deploy
from infra.stackfile import record_stack
imported = time.monotonic()
found = record_stack(deploy, {stack!r})
print(imported - begun, time.monotonic() - imported, len(found.resources))
"""


def measured(stack: str) -> tuple[float, float, int]:
    """Return the seconds that a fresh process imports and declares, and how many resources it declares."""
    command = [sys.executable, "-c", PROGRAM.format(stack=stack)]
    done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    imports, declares, resources = done.stdout.split()
    return float(imports), float(declares), int(resources)


def seconds(command: Sequence[str]) -> float:
    """Run a command that must succeed; return how long it took."""
    begun = time.monotonic()
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    return time.monotonic() - begun


def rendered(stack: str) -> tuple[list[float], int, int]:
    """Return the seconds of each rendering, the files it wrote, and the objects in them."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "infra.gitops", "--stack", stack, "--out", folder]
        took = [seconds(command) for _ in range(WHOLE_COMMANDS)]
        files = [path for path in Path(folder).rglob("*.yaml") if path.name != "kustomization.yaml"]
        written = [each for path in files for each in yaml.safe_load_all(path.read_text())]
    return took, len(files), sum("kind" in each for each in written if isinstance(each, dict))


def spread(values: Sequence[float]) -> str:
    """Return the least, the median and the most."""
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"


def main() -> None:
    """Measure every stack, in turn."""
    rows = []
    for stack in stacks():
        runs = [measured(stack) for _ in range(RUNS)]
        imports, declares = ([run[part] for run in runs] for part in (0, 1))
        renders, files, objects = rendered(stack)
        previews = [seconds(["make", "preview", f"STACK={stack}"]) for _ in range(WHOLE_COMMANDS)]
        tree = f"{objects} in {files}"
        rows.append([stack, str(runs[0][2]), tree, *map(spread, (declares, imports, renders, previews))])
    header = ["stack", "resources", "objects in files of the Git tree", "declaring", "imports before it"]
    lines = table([*header, "`make render`, whole", "`make preview`, whole"], rows)
    lines += [
        "",
        f"Seconds: min / median / max. Fresh processes, {RUNS} each, {WHOLE_COMMANDS} of the commands. *Declaring* is "
        "the program under the recorder; *imports* are those of Pulumi's libraries, which tests pay once. *Resources* "
        "counts components, too. A preview starts Pulumi's engine and its providers, against no cluster.",
    ]
    write("declare", "Declaring, rendering and previewing a whole stack", "python -m bench.declare", lines)


if __name__ == "__main__":
    main()
