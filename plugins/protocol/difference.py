"""What changed between two property trees, named the way the engine names properties."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

Path = tuple[str | int, ...]
"""Where a property lies: keys and list positions from the top."""

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


class Kind(Enum):
    """How a property differs."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, Kind]]:
    """Yield each place where two plain values differ; a value that is not yet known differs from any."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                yield (*path, key), Kind.DELETE
            elif key not in old:
                yield (*path, key), Kind.ADD
            else:
                yield from differences(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(new):
                yield (*path, index), Kind.DELETE
            elif index >= len(old):
                yield (*path, index), Kind.ADD
            else:
                yield from differences(old[index], new[index], (*path, index))
    elif old != new:
        yield path, Kind.UPDATE


def property_path(path: Path) -> str:
    """Return the path as the engine writes it: ``spec.containers[0].image``, ``metadata.labels["a/b"]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text
