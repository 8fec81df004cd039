"""What a person sees while something takes long."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HEARTBEAT_SECONDS = 30


def duration(seconds: float) -> str:
    """Return ``seconds`` for people: ``8 s``, ``3 min 20 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


@dataclass
class Progress:
    """Numbered steps on standard error, each with the time it took; a table of shares at the end."""

    title: str
    times: list[tuple[str, float]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        """Print one line below the current step."""
        print(f"   {line}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, name: str, waits_for: str = "") -> Iterator[None]:
        """Announce a step, say every half minute that it is still at work, and note its time."""
        print(f"== {name}" + (f" ({waits_for})" if waits_for else ""), file=sys.stderr, flush=True)
        begun, done = time.monotonic(), threading.Event()

        def beat() -> None:
            while not done.wait(HEARTBEAT_SECONDS):
                self.say(f"... {name}: {duration(time.monotonic() - begun)}")

        threading.Thread(target=beat, daemon=True).start()
        try:
            yield
        finally:
            done.set()
            self.times.append((name, time.monotonic() - begun))
        self.say(f"done in {duration(self.times[-1][1])}")

    def table(self) -> str:
        """Return each step's time and its share of the whole, and the whole."""
        total = time.monotonic() - self.started
        rows = [
            f"   {name:<44} {duration(seconds):>14} {100 * seconds / max(total, 0.001):>4.0f} %"
            for name, seconds in self.times
        ]
        return "\n".join([f"{self.title}: {duration(total)}", *rows])
