"""One question: where are the binaries of this tool? Made on the spot when nowhere."""

import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from toolchain import download, golang
from toolchain.cache import being_made, folder, is_whole
from toolchain.tools import Tool

Say = Callable[[str], None]


def on_path(tool: Tool) -> Path | None:
    """Return the folder on PATH that holds every binary of ``tool``, if the tool may be taken from there."""
    found = [shutil.which(name) for name in tool.binaries] if tool.use_path else []
    if not found or None in found or too_old_on_path(tool):
        return None
    return Path(str(found[0])).parent


def too_old_on_path(tool: Tool) -> str:
    """Return, in a few words, why the binary on PATH may not be used; empty: nothing speaks against it."""
    found = shutil.which(tool.binaries[0]) if tool.path_minimum else None
    version = _version(found) if found else ()
    if found is None or version >= tool.path_minimum:
        return ""
    older, least = (".".join(map(str, numbers)) or "of no version" for numbers in (version, tool.path_minimum))
    return f"{found} is {older}, and must be {least} at least"


@cache
def _version(program: str) -> tuple[int, ...]:
    printed = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", printed)
    return tuple(int(number) for number in found.groups()) if found else ()


def ready(tool: Tool) -> Path | None:
    """Return the folder of binaries if the tool is at hand, on PATH or whole in the cache."""
    if place := on_path(tool):
        return place
    return folder(tool) / "bin" if is_whole(tool, folder(tool)) else None


def ensure(tool: Tool, say: Say) -> Path:
    """Return the folder with the binaries of ``tool``; PATH, cache, vendor and Go modules are tried in this order.

    Args:
        tool: what is wanted.
        say: told, in one line each, what takes time.

    Raises:
        golang.BuildError, download.DownloadError, pypi.PypiError: it cannot be had; the message says why.
    """
    if why := too_old_on_path(tool):
        say(f"{tool.name} {tool.version}: not from PATH: {why}")
    if place := ready(tool):
        return place
    with being_made(tool) as directory:
        if directory != folder(tool):
            _make(tool, directory / "bin", say)
    return folder(tool) / "bin"


def _make(tool: Tool, directory: Path, say: Say) -> None:
    """Fill ``directory``: by the vendor's downloads where there are some and they can be had, else by a build."""
    if tool.archives and platform.machine() == "x86_64":
        try:
            download.download(tool, directory)
        except download.UnreachableError as error:
            # No error: a filter on the way answers in many ways, and the build gives the same version.
            say(f"{tool.name} {tool.version}: not from its vendor: {error}")
        else:
            say(f"{tool.name} {tool.version}: downloaded from its vendor")
            return
    say(f"{tool.name} {tool.version}: building from its Go module (about {tool.build_minutes} min)")
    golang.build(tool, directory)


def ensure_all(tools: Iterable[Tool], say: Say) -> list[Path]:
    """Return the folders of several tools, one after the other: each build uses all cores by itself."""
    return [ensure(tool, say) for tool in tools]
