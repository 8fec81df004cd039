"""How long ``make up`` takes, cold and warm, and what each part's share is.

``cold`` means: an empty cache folder, no images in the builder, no node; system packages may be installed already.
Everything of an installation on this machine is taken away first, so it asks for ``--yes``.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.report import table, write
from ops.paths import CHECKOUT
from ops.progress import duration

SAMPLE_SECONDS = 5


class DiskWatch:
    """Samples used space while something runs; ``peak_gib`` and ``kept_gib`` are relative to the start."""

    def __init__(self) -> None:
        self.start = shutil.disk_usage("/").used
        self.peak = self.start
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, shutil.disk_usage("/").used)

    def stop(self) -> tuple[float, float]:
        """Return (peak, kept) in GiB."""
        self._stop.set()
        return (self.peak - self.start) / 2**30, (shutil.disk_usage("/").used - self.start) / 2**30


def up(environment: dict[str, str]) -> tuple[float, str, tuple[float, float]]:
    """Run ``make up``; return its seconds, what it printed, and the disk it took."""
    disk, begun = DiskWatch(), time.monotonic()
    done = subprocess.run(["make", "up"], cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return time.monotonic() - begun, done.stdout, disk.stop()


def shares(printed: str) -> list[list[str]]:
    """Return the rows of the step table that ``make up`` prints."""
    found = re.findall(r"^   (\S.*?)\s{2,}(\d.*?(?:s|min \d\d s))\s+(\d+) %$", printed, re.MULTILINE)
    return [[name, took, f"{share} %"] for name, took, share in found]


def main() -> None:
    """Measure a cold run and a warm one."""
    if "--yes" not in sys.argv:
        sys.exit("this takes away the installation on this machine, its data included; say --yes to go on")
    subprocess.run(["make", "destroy", "VOLUMES=delete"], cwd=CHECKOUT, check=False, capture_output=True)
    subprocess.run(["buildah", "rmi", "--all", "--force"], check=False, capture_output=True)
    with tempfile.TemporaryDirectory(prefix="aihub-cold-") as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        cold, printed, (peak, kept) = up(environment)
        warm, again, _ = up(environment)
        cache_gib = sum(path.stat().st_size for path in Path(cache).rglob("*") if path.is_file()) / 2**30
    lines = [f"Cold: **{duration(cold)}**; warm: **{duration(warm)}**.", ""]
    lines += ["Here everything is built from package registries; with the vendors' downloads it was not measured.", ""]
    lines += [f"Disk: {peak:.1f} GiB at the height, {kept:.1f} GiB kept, {cache_gib:.1f} GiB of it cache.", ""]
    lines += ["## Cold, step by step", "", *table(["step", "time", "share"], shares(printed)), ""]
    lines += ["## Warm, step by step", "", *table(["step", "time", "share"], shares(again))]
    write("up", "`make up` on stack `local`", "python -m bench.up --yes", lines)


if __name__ == "__main__":
    main()
