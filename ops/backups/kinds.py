"""What every kind of store can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ops.backups.reach import Reach

Content = Mapping[str, Any]
"""What of a store is compared after it was restored: counts and sums, JSON. Of a list each element must be there again;
what is there besides was there before, in a store that adds only."""
UNCOMPARED = ("expiring",)
"""What is counted, and not compared."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A store's dump."""

    files: tuple[Path, ...]
    """What was written."""
    content: Content
    """What the store held at that moment; empty: it cannot be said."""
    remark: str = ""
    """What a person should know of it."""


class Kind(Protocol):
    """A kind of store; a module of this package is one."""

    def version(self, reach: Reach) -> str:
        """Return the server's version."""

    def content(self, reach: Reach) -> Content:
        """Return what it holds."""

    def dump(self, reach: Reach, base: Path) -> Copy:
        """Copy it into files whose names begin with ``base``."""

    def is_empty(self, reach: Reach) -> bool:
        """Say whether it holds nothing that a restore would take away."""

    def load(self, reach: Reach, base: Path) -> None:
        """Put a copy in the place of what is there."""

    def keep(self, reach: Reach) -> None:
        """Throw away what a restore put aside."""


def differences(before: Content, after: Content) -> list[str]:
    """Return what is not there again, or otherwise."""
    found = []
    for key, value in before.items():
        now = after.get(key)
        if isinstance(value, Mapping):
            found += [f"{key}.{each}" for each in differences(value, now if isinstance(now, Mapping) else {})]
        elif isinstance(value, list):
            lost = sum(each not in (now or ()) for each in value)
            found += [f"{key}: {lost} of {len(value)} are missing"] if lost else []
        elif now != value and key not in UNCOMPARED:
            found.append(f"{key}: {value} -> {now}")
    return found


def summary(content: Content) -> str:
    """Return the counts, for people."""
    parts = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            rows = sum(each.get("rows", 0) for each in value.values() if isinstance(each, Mapping))
            parts.append(f"{len(value)} {key}, {rows} rows")
        elif isinstance(value, list) and value:
            parts.append(f"{len(value)} {key}")
        elif isinstance(value, int):
            parts.append(f"{value} {key}")
    return ", ".join(parts) or "-"
