"""The list of what a backup holds: ``manifest.json``."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ops.backups.kinds import Content, Copy
from ops.backups.reach import digest
from ops.errors import OpsError

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a backup."""

    name: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "File":
        """Measure a file."""
        return cls(name=path.name, bytes=path.stat().st_size, sha256=digest(path))


@dataclass(frozen=True, kw_only=True)
class Part:
    """One store of a backup."""

    name: str
    """What the backup calls it."""
    kind: str
    """What it is."""
    source: str
    """Where it was, e.g. ``data/redis-0``."""
    version: str
    """The server's version."""
    files: list[File]
    content: Content
    """What it held at that moment; empty: it cannot be said."""
    moment: str
    """When its copy began: what was written later is not in it."""
    seconds: float
    """How long the copy took."""
    remark: str = ""


class Watch:
    """When a copy began, and how long it has taken."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC).isoformat(timespec="seconds")
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return how long it has taken."""
        return round(time.monotonic() - self._begun, 3)

    def part(self, copy: Copy, *, name: str, kind: str, source: str, version: str = "") -> Part:
        """Return the part of a backup that a copy is; its files are their owner's alone."""
        for path in copy.files:
            path.chmod(0o600)
        return Part(
            name=name,
            kind=kind,
            source=source,
            version=version,
            files=[File.of(path) for path in copy.files],
            content=copy.content,
            moment=self.moment,
            seconds=self.seconds,
            remark=copy.remark,
        )


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A whole backup."""

    stack: str
    begun: str
    seconds: float
    parts: list[Part]
    secrets: str
    """What of it is secret."""
    format: int = field(default=FORMAT)

    def write(self, folder: Path) -> None:
        """Write it."""
        path = folder / NAME
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")
        path.chmod(0o600)


def read(folder: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        OpsError: there is none, or not one of this format.
    """
    path = folder / NAME
    try:
        found = json.loads(path.read_text())
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']}, and this program reads {FORMAT}")
        parts = [Part(**{**part, "files": [File(**each) for each in part["files"]]}) for part in found.pop("parts")]
        return Manifest(**found, parts=parts)
    except FileNotFoundError:
        raise OpsError(f"{folder} holds no {NAME}", "name a folder that make backup wrote: FROM=...") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise OpsError(f"{path} cannot be read: {error}", "use another backup") from None


def demand_whole(folder: Path, parts: Iterable[Part]) -> None:
    """Compare every file with its sum.

    Raises:
        OpsError: one is missing or otherwise; each is named.
    """
    bad = []
    for each in (file for part in parts for file in part.files):
        path = folder / Path(each.name).name
        if not path.is_file():
            bad.append(f"{each.name} is not there")
        elif path.stat().st_size != each.bytes or digest(path) != each.sha256:
            bad.append(f"{each.name} is not as it was written")
    if bad:
        raise OpsError(f"{folder}: {'; '.join(bad)}", "use another backup, or copy this one again; nothing was changed")
