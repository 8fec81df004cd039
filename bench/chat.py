"""How long ``make chat`` takes from a clean clone to a page that answers, and again when everything is there."""

import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from bench.report import table, write
from ops.paths import CHECKOUT
from ops.progress import duration

LIMIT_SECONDS = 1200


def start(clone: Path, cache: str) -> tuple[float, list[str]]:
    """Run ``make chat`` until it prints its link, then stop it; return the seconds and the lines of its step table."""
    begun = time.monotonic()
    caches = {"XDG_CACHE_HOME": cache, "UV_CACHE_DIR": f"{cache}/uv", "PIP_CACHE_DIR": f"{cache}/pip"}
    environment = {**os.environ, **caches}
    running = subprocess.Popen(
        ["make", "chat"],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lines = []
    for line in running.stdout or ():
        lines.append(line.rstrip())
        if line.startswith("Chat: ") or time.monotonic() - begun > LIMIT_SECONDS:
            break
    seconds = time.monotonic() - begun
    os.killpg(running.pid, signal.SIGINT)
    running.wait(60)
    return seconds, [line for line in lines if line.endswith("%")]


def main() -> None:
    """Measure a first start and a second one."""
    with tempfile.TemporaryDirectory(prefix="aihub-chat-") as folder:
        clone, cache = Path(folder) / "clone", f"{folder}/cache"
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
        cold, steps = start(clone, cache)
        warm, _ = start(clone, cache)
        used = subprocess.run(["du", "-sk", folder], capture_output=True, text=True, check=True).stdout
        kept_gib = int(used.split()[0]) / 2**20
    lines = [f"From a clean clone with empty caches: **{duration(cold)}**; again: **{duration(warm)}**.", ""]
    lines += [
        f"Clone, environments and caches take {kept_gib:.1f} GiB of the disk.",
        "",
    ]
    lines += table(["step", "time", "share"], [_cells(line) for line in steps])
    write("chat", "`make chat`: the service alone", "python -m bench.chat", lines)


def _cells(line: str) -> list[str]:
    """Return a line of the step table as name, time and share."""
    name, time_taken, share = re.split(r"\s{2,}", line.strip())
    return [name, time_taken, share]


if __name__ == "__main__":
    main()
