"""Which resource providers Pulumi finds: the vendor's where they can be had, else the stand-ins in ``plugins/``."""

import shutil
import subprocess
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


def _install(pulumi: Path, name: str, version: str) -> bool:
    """Ask the vendor for a plugin; False when it cannot be reached."""
    command = [str(pulumi / "pulumi"), "plugin", "install", "resource", name, version]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=300).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def for_up(pulumi: Path, needed: Sequence[str] = ("kubernetes", "docker-build")) -> Providers:
    """Return the providers for ``up`` and ``destroy``: all of the vendor's, or all stand-ins."""
    if all(_installed(name, VENDOR_PLUGINS[name]) or _install(pulumi, name, VENDOR_PLUGINS[name]) for name in needed):
        return Providers(path=(), said=f"Pulumi's own plugins: {', '.join(needed)}")
    return Providers(
        path=(STAND_INS,),
        said=f"stand-ins from plugins/ for {', '.join(needed)} (Pulumi's own cannot be reached from here)",
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
