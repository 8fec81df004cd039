"""Naming a process so that its number, given again to another, is never mistaken for it."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Process:
    """A process by its number and the moment it started."""

    pid: int
    started_ticks: int
    """Clock ticks between boot and its start (field 22 of ``/proc/<pid>/stat``)."""

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """Return the process that has this number now; None if there is none or it is a zombie."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The name, in parentheses, may hold anything; state is the first field after it.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    def is_alive(self) -> bool:
        """Say whether this very process still runs."""
        return Process.of(self.pid) == self

    def end(self, timeout_seconds: float) -> None:
        """Ask it to end, wait, and kill it when the time is over; nothing happens if it does not run."""
        for name, wait_seconds in ((signal.SIGTERM, timeout_seconds), (signal.SIGKILL, 5.0)):
            if not self.is_alive():
                return
            os.kill(self.pid, name)
            deadline = time.monotonic() + wait_seconds
            while self.is_alive() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
