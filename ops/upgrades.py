"""``make upgrades``: for every pinned version, what is newer. Changes nothing; how to raise what: docs/upgrades.md."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ops.versions.newest import NotAskedError, newest, numbers
from ops.versions.pins import Pin, pins

AT_A_TIME = 6
STEPS = ("major", "minor", "patch")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was found out about one pin."""

    pin: Pin
    newest: str = ""
    """Empty: nobody could say."""
    reason: str = ""
    """Why nobody could."""

    @property
    def step(self) -> str:
        """Return how far the newest is away; empty where it is not newer."""
        ours, theirs = numbers(self.pin.version), numbers(self.newest)
        if theirs <= ours:
            return ""
        differing = next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), 2)
        return STEPS[min(differing, 2)]


def ask(pin: Pin, newest_of: Callable[[Pin], str] = newest) -> Answer:
    """Return what is newest; what cannot be asked is an answer, too."""
    try:
        return Answer(pin=pin, newest=newest_of(pin))
    except NotAskedError as error:
        return Answer(pin=pin, reason=str(error))


def table(answers: Iterable[Answer]) -> str:
    """Return what is newer, one line each; then what could not be asked, by its reason; then the count."""
    answers = list(answers)
    newer = [each for each in answers if each.newest and each.step]
    rows = [("", "name", "pinned", "newest", "pinned in")]
    rows += [(each.step, each.pin.name, each.pin.version, each.newest, each.pin.where) for each in newer]
    lines = _aligned(rows) if newer else []
    silent: dict[tuple[str, str], list[str]] = {}
    for each in answers:
        if each.reason:
            silent.setdefault((each.pin.kind, each.reason), []).append(f"{each.pin.name} {each.pin.version}")
    for (kind, reason), names in sorted(silent.items()):
        lines += [f"not asked ({kind}: {reason}):", f"  {', '.join(names)}"]
    asked = len(answers) - sum(map(len, silent.values()))
    lines.append(f"{len(newer)} of {asked} that could be asked have something newer; {len(answers) - asked} not asked")
    return "\n".join(lines)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def run(name: str) -> int:
    """Ask about everything, or what has ``name`` in its own, and print the table; 0 whatever is found."""
    wanted = [pin for pin in pins() if name in pin.name]
    with ThreadPoolExecutor(max_workers=AT_A_TIME) as asking:
        print(table(asking.map(ask, wanted)))
    return 0
