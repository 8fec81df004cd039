"""Which resource providers Pulumi finds: the vendor's where they can be had, else the stand-ins in ``plugins/``."""

import http.client
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.paths import CHECKOUT

VENDOR_PLUGINS = {
    "kubernetes": "4.34.2",
    "docker-build": "0.0.22",
    "docker": "5.2.0",
    "gitlab": "10.4.0",
    "vault": "7.14.0",
    "harbor": "3.10.21",
}
"""Plugin and version, each that of the Python package in requirements.in."""
FOR_UP = ("kubernetes", "docker-build")
VENDOR = "https://get.pulumi.com"
VENDOR_SECONDS = 5
STAND_INS = CHECKOUT / "plugins" / "bin"
PREVIEW_STAND_INS = CHECKOUT / "plugins" / "bin" / "preview"


@dataclass(frozen=True, kw_only=True)
class Providers:
    """What the engine is given, and a sentence for the person."""

    path: Sequence[Path]
    """Folders that go onto PATH: stand-ins found there are used by the engine."""
    said: str
    """Which are in use."""
    variables: Mapping[str, str] = field(default_factory=dict)


def _installed(name: str, version: str) -> bool:
    folder = Path.home() / ".pulumi" / "plugins" / f"resource-{name}-v{version}"
    return folder.is_dir() or shutil.which(f"pulumi-resource-{name}") is not None


def _vendor_answers() -> bool:
    """Say whether the vendor is there at all: where packets are dropped, an installation would wait for minutes."""
    try:
        with urllib.request.urlopen(VENDOR, timeout=VENDOR_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException):
        return False


def _docker_answers() -> bool:
    """Say whether a Docker engine is here: the vendor's `docker-build` makes images with it, and with nothing else."""
    try:
        return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _install(pulumi: Path, name: str, version: str) -> bool:
    """Ask the vendor for a plugin; False when it cannot be reached."""
    command = [str(pulumi / "pulumi"), "plugin", "install", "resource", name, version]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=300).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def for_up(pulumi: Path, needed: Sequence[str] = FOR_UP, *, own_node: bool) -> Providers:
    """Return the providers for ``up``: all of the vendor's, or all stand-ins."""
    if "docker-build" in needed and own_node:
        return _stand_ins(needed, "the node's base image lies in buildah's storage, where no Docker engine looks")
    if "docker-build" in needed and not _docker_answers():
        return _stand_ins(needed, "Pulumi's own docker-build needs a Docker engine, and none answers here")
    missing = {name: VENDOR_PLUGINS[name] for name in needed if not _installed(name, VENDOR_PLUGINS[name])}
    if not missing or (_vendor_answers() and all(_install(pulumi, *plugin) for plugin in missing.items())):
        return Providers(path=(), said=f"Pulumi's own plugins: {', '.join(needed)}")
    return _stand_ins(needed, "Pulumi's own cannot be reached from here")


def in_use(environment: Path, pulumi: Path, needed: Sequence[str] = FOR_UP, *, own_node: bool) -> Providers:
    """Return the providers of a stack that is up: those whose folders ``make up`` wrote into ``environment``."""
    if environment.exists() and str(STAND_INS) in environment.read_text():
        return _stand_ins(needed, "as `make up` used them")
    return for_up(pulumi, needed, own_node=own_node)


def _stand_ins(needed: Sequence[str], why: str) -> Providers:
    return Providers(
        path=(STAND_INS,),
        said=f"stand-ins from plugins/ for {', '.join(needed)} ({why})",
        variables={"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"},
    )


def for_preview(needed: Sequence[str] = tuple(VENDOR_PLUGINS)) -> Providers:
    """Return the providers for ``preview``: the vendor's if all are installed, else stand-ins that change nothing."""
    if all(_installed(name, VENDOR_PLUGINS[name]) for name in needed):
        return Providers(path=(), said=f"Pulumi's own plugins: {', '.join(needed)}")
    return Providers(
        path=(PREVIEW_STAND_INS,),
        said="the preview-only stand-in from plugins/ (it touches no cluster and no registry)",
        variables={"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"},
    )
