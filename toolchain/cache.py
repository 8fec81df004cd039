"""Where finished tools lie, and how they are known to be whole."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from toolchain.tools import Tool

MANIFEST = "sha256.json"


def cache_root() -> Path:
    """Return this project's folder in the user's cache (``XDG_CACHE_HOME`` is respected)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aihub"


def folder(tool: Tool) -> Path:
    """Return the folder of ``tool`` at its version; its binaries lie in ``bin``."""
    return cache_root() / "toolchain" / tool.name / tool.version


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_whole(tool: Tool, directory: Path) -> bool:
    """Say whether ``directory`` holds every binary of ``tool``, each as it was when it was finished."""
    try:
        digests: dict[str, str] = json.loads((directory / MANIFEST).read_text())
        return set(tool.binaries) <= set(digests) and all(
            sha256(directory / "bin" / name) == digest for name, digest in digests.items()
        )
    except (OSError, ValueError):
        return False


def seal(directory: Path) -> None:
    """Write down the digests of the binaries in ``directory`` and make them executable."""
    digests = {}
    for path in sorted((directory / "bin").iterdir()):
        path.chmod(0o755)
        digests[path.name] = sha256(path)
    (directory / MANIFEST).write_text(json.dumps(digests, indent=1) + "\n")


@contextmanager
def being_made(tool: Tool) -> Iterator[Path]:
    """Give an empty folder to fill; it takes the place of the tool's folder only when nothing failed.

    Another process that wants the same tool waits; an interrupted build leaves nothing that looks finished.
    """
    final = folder(tool)
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.with_name(f"{final.name}.partial")
    with (final.parent / f".{final.name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "bin").mkdir(parents=True)
        if is_whole(tool, final):  # somebody else made it while we waited
            yield final
            shutil.rmtree(partial)
            return
        yield partial
        seal(partial)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
