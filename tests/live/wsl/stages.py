"""When a commit reached which stage; `python -m bench.chain` makes a table of it."""

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from ops.paths import PRIVATE

FILE = PRIVATE / "live" / "chain.json"


@dataclass
class Stages:
    """The stages of each commit, by its name, in seconds since its push."""

    file: Path = FILE
    pushed: dict[str, float] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    reached: dict[str, dict[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def begin(self, commit: str, name: str, pushed: float) -> None:
        """Say which commit is watched and when (``time.monotonic()``) it was pushed."""
        with self._lock:
            self.pushed[commit], self.names[commit] = pushed, name

    def mark(self, stage: str, commit: str) -> None:
        """Say that a commit is at a stage now; the first time counts."""
        now = time.monotonic()
        with self._lock:
            self.reached.setdefault(commit, {}).setdefault(stage, now)

    def write(self) -> None:
        """Write what was measured."""
        with self._lock:
            table = {
                name: {stage: round(at - self.pushed[commit], 1) for stage, at in self.reached.get(commit, {}).items()}
                for commit, name in self.names.items()
            }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(table, indent=1) + "\n")
