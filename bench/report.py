"""How a result file begins: what was measured where, and with which command."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def machine() -> str:
    """Return this machine in one line: processor, cores, memory, kernel, Python."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = platform.release().partition("-")[0]
    return f"{cpu}, {os.cpu_count()} cores, {gib:.0f} GiB, Linux {kernel}, Python {platform.python_version()}"


def commit() -> str:
    """Return the commit that was measured, marked when the tree had changes."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True, cwd=RESULTS.parent
    )
    return described.stdout.strip()


def write(name: str, title: str, command: str, lines: Sequence[str], *, measured: str | None = None) -> Path:
    """Write ``bench/results/<name>.md`` and show it; ``measured``: commit and day, where these are not today's."""
    head = [f"# {title}", "", f"- command: `{command}`", f"- machine: {machine()}"]
    head += [f"- commit: {measured or f'{commit()}, {datetime.now(UTC):%Y-%m-%d}'}", ""]
    path = RESULTS / f"{name}.md"
    path.write_text("\n".join([*head, *lines]) + "\n")
    sys.stdout.write(path.read_text())
    return path


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]
