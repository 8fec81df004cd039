"""What is newest of something pinned: asked with the tools that everybody uses, so with this machine's own settings.

pip, npm, Go, Helm and skopeo know mirrors, proxies, certificates and logins; no address of a registry stands here.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ops.paths import VENV
from ops.versions.pins import Kind, Pin
from toolchain import ToolchainError, golang, pypi
from toolchain.ensure import ready
from toolchain.tools import HELM

TIMEOUT_SECONDS = 30
_TAG = re.compile(r"(v?)([0-9]+(?:\.[0-9]+)*)((?:-.*)?)")
"""A tag that is a version: prefix, numbers, variant."""


class NotAskedError(Exception):
    """Nobody could say; the message is the reason in a few words."""


def told(argv: Sequence[str]) -> str:
    """Return what a command says.

    Raises:
        NotAskedError: it failed, or took too long.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:  # no module, no package of a checkout's own has a say
            done = subprocess.run(
                argv, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS, cwd=folder
            )
    except subprocess.TimeoutExpired:
        raise NotAskedError(f"no answer within {TIMEOUT_SECONDS} s") from None
    if done.returncode:
        raise NotAskedError(_reason(done.stderr))
    return done.stdout


def _reason(said: str) -> str:
    """Return why an answer did not come: no route, or the client's own last line."""
    for sign in ("no such host", "Name or service not known", "ENOTFOUND", "EAI_AGAIN", "no route to host"):
        if sign.lower() in said.lower():
            return "no route: its name does not resolve"
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return lines[-1].strip()[-160:] if lines else "no reason given"


def _program(name: str, made: Callable[[], Path | str] | None = None, fix: str = "") -> str:
    """Return a program of PATH, else of our toolchain.

    Raises:
        NotAskedError: there is none.
    """
    if found := shutil.which(name):
        return found
    try:
        place = made() if made else None
    except ToolchainError:
        place = None
    if place is None:
        raise NotAskedError(f"{name} is not here{fix}")
    return str(place)


def _helm() -> Path | None:
    place = ready(HELM)
    return place / "helm" if place else None


def _chart(pin: Pin) -> str:
    is_oci = pin.repository.startswith("oci://")
    what = [f"{pin.repository}/{pin.name}"] if is_oci else [pin.name, "--repo", pin.repository]
    helm = ready(HELM)
    program = str(helm / "helm") if helm else _program("helm", fix=" (python3 -m toolchain helm)")
    found = re.search(r"^version: *['\"]?([^'\"\s]+)", told([program, "show", "chart", *what]), re.MULTILINE)
    if not found:
        raise NotAskedError("the chart names no version")
    return found[1]


def _image(pin: Pin) -> str:
    wanted = _TAG.fullmatch(pin.version)
    if not wanted:
        raise NotAskedError(f"{pin.version} is no version")
    program = _program("skopeo", fix=" (Debian: apt-get install skopeo)")
    tags = json.loads(told([program, "list-tags", f"docker://{pin.name}"]))["Tags"]
    found = [(numbers(each[2]), tag) for tag in tags if (each := _TAG.fullmatch(tag)) and _alike(each, wanted)]
    return max(found, default=((), pin.version))[1]


def _alike(tag: re.Match[str], wanted: re.Match[str]) -> bool:
    """Whether two tags name the same variant, to the same number of places."""
    return (tag[1], tag[3], tag[2].count(".")) == (wanted[1], wanted[3], wanted[2].count("."))


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with."""
    found = _TAG.match(version)
    return tuple(int(part) for part in found[2].split(".")) if found else ()


def _module(pin: Pin) -> str:
    program = _program("go", golang.go_binary)
    return str(json.loads(told([program, "list", "-mod=mod", "-m", "-json", f"{pin.name}@latest"]))["Version"])


def _pypi(pin: Pin) -> str:
    found = json.loads(told([str(VENV / "bin" / "python"), "-m", "pip", "index", "versions", pin.name, "--json"]))
    return str(found["latest"] if "latest" in found else found["versions"][0])


def _npm(pin: Pin) -> str:
    program = _program("npm", lambda: pypi.node() / "npm")
    return str(json.loads(told([program, "view", pin.name, "dist-tags.latest", "--json"])))


ASKED: Mapping[Kind, Callable[[Pin], str]] = {
    "chart": _chart,
    "image": _image,
    "module": _module,
    "pypi": _pypi,
    "npm": _npm,
}


def newest(pin: Pin) -> str:
    """Return the newest version of something pinned.

    Raises:
        NotAskedError: nobody could say.
    """
    try:
        return ASKED[pin.kind](pin)
    except (ValueError, KeyError, OSError) as error:
        raise NotAskedError(f"an answer that is none: {type(error).__name__}") from error
