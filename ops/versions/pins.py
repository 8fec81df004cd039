"""Every version that is pinned in this checkout: what, at which version, where, and who knows what is newer."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from infra import versions
from infra.stackfile import stack_names, stack_of
from ops.paths import CHECKOUT
from toolchain import golang, pypi
from toolchain.tools import ALL

Kind = Literal["chart", "image", "module", "pypi", "npm"]
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(?:==([^\s;\\]+))?", re.MULTILINE)
_REQUIRED = re.compile(r"^(?:require )?\s*(\S+) (v\S+)(?: // indirect)?$", re.MULTILINE)
_TOOL = re.compile(r"^(?:tool )?\s*(\S+\.\S+/\S+)$", re.MULTILINE)
_IGNORED = {".venv", "node_modules"}


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One thing at one version."""

    kind: Kind
    """Who knows what is newer: a chart's repository, a registry of images, the Go proxy, PyPI, npm."""
    name: str
    """What it is called there."""
    version: str
    """Version or tag."""
    where: str
    """Files that pin it."""
    repository: str = ""
    """Address of a chart's repository."""


def pins() -> list[Pin]:
    """Return all of them, by kind and name; what several files pin at the same version is one."""
    merged: dict[Pin, list[str]] = {}
    for pin in (*_charts(), *_images(), *_modules(), *_python(), *_npm()):
        places = merged.setdefault(replace(pin, where=""), [])
        places += [] if pin.where in places else [pin.where]
    return sorted(
        (replace(pin, where=", ".join(where)) for pin, where in merged.items()),
        key=lambda pin: (pin.kind, pin.name, pin.version),
    )


def _charts() -> Iterator[Pin]:
    for value in vars(versions).values():
        if isinstance(value, versions.ChartPin):
            yield Pin(
                kind="chart",
                name=value.name,
                version=value.version,
                where="infra/versions.py",
                repository=value.repository,
            )


def _images() -> Iterator[Pin]:
    for stack in stack_names():
        file = f"Pulumi.{stack}.yaml"
        written = (CHECKOUT / file).read_text()
        for image in _image_fields(stack_of(stack).model_dump()):
            name, _, tag = image.partition("@")[0].rpartition(":")
            if not name.startswith("localhost/"):  # made by `make up`, of what is pinned elsewhere
                yield Pin(kind="image", name=name, version=tag, where=file if image in written else "infra/config")


def _image_fields(value: Any) -> Iterator[str]:
    """Yield every image of a configuration, those that are defaults included."""
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str) and str(key).endswith("image") and ":" in each.rpartition("/")[2]:
                yield each
            else:
                yield from _image_fields(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _image_fields(each)


def _modules() -> Iterator[Pin]:
    for tool in ALL:
        text = (golang.MODULES / tool.name / "go.mod").read_text()
        required = _REQUIRED.findall(text)
        owners = {
            _owner(package, [module for module, _ in required]) for package in (*tool.packages, *_TOOL.findall(text))
        }
        for module, version in required:
            # A main package of ours stands around one module, whose version is the tool's.
            if module in owners or (tool.packages == (".",) and version == tool.version):
                yield Pin(kind="module", name=module, version=version, where=f"toolchain/go/{tool.name}/go.mod")


def _owner(package: str, modules: Iterable[str]) -> str:
    """Return the module that a package is in: of those whose path it begins with, the longest."""
    return max((module for module in modules if f"{package}/".startswith(f"{module}/")), key=len, default="")


def _python() -> Iterator[Pin]:
    for source in sorted(CHECKOUT.rglob("requirements*.in")):
        if _IGNORED & set(source.parts):
            continue
        where = str(source.relative_to(CHECKOUT))
        locked = source.with_suffix(".txt")
        known = {_normal(name): version for name, version in _requirements(locked) if version}
        for name, stated in _requirements(source):
            if version := known.get(_normal(name), stated):
                yield Pin(kind="pypi", name=_normal(name), version=version, where=where)
    for where, package in (
        ("toolchain/pypi.py", pypi.UV_PACKAGE),
        ("toolchain/pypi.py", pypi.NODE_PACKAGE),
        ("toolchain/golang.py", golang.GO_PACKAGE),
    ):
        name, _, version = package.partition("==")
        yield Pin(kind="pypi", name=name, version=version, where=where)


def _requirements(file: Path) -> list[tuple[str, str]]:
    return _REQUIREMENT.findall(file.read_text()) if file.exists() else []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _npm() -> Iterator[Pin]:
    folder = CHECKOUT / "service" / "web"
    whole = json.loads((folder / "package.json").read_text())
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    for name in sorted({**whole["dependencies"], **whole["devDependencies"]}):
        version = locked[f"node_modules/{name}"]["version"]
        yield Pin(kind="npm", name=name, version=version, where="service/web/package.json")
