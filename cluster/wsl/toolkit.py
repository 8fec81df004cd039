"""NVIDIA's container toolkit, from NVIDIA's own packages. The driver is Windows': none goes into the Linux."""

import urllib.request
from pathlib import Path

from cluster import NodeError, packages
from cluster.host import NVIDIA_RUNTIME
from cluster.wsl.computer import Computer

REPOSITORY = "https://nvidia.github.io/libnvidia-container"
KEY_URL = f"{REPOSITORY}/gpgkey"
KEYRING = "/usr/share/keyrings/nvidia-container-toolkit.asc"
"""Armoured, as it is served: apt reads that by the ending."""
LIST = "/etc/apt/sources.list.d/nvidia-container-toolkit.list"
LINE = f"deb [signed-by={KEYRING}] {REPOSITORY}/stable/deb/$(ARCH) /\n"
PACKAGE = "nvidia-container-toolkit"
TIMEOUT_SECONDS = 30


def pending(computer: Computer) -> list[str]:
    """Return what is left to do, one line each."""
    if computer.at(NVIDIA_RUNTIME).exists():
        return []
    has_repository = computer.read(LIST) == LINE and computer.at(KEYRING).exists()
    repository = [] if has_repository else [f"{LIST}: {LINE.strip()}", f"{KEYRING}: {KEY_URL}"]
    return [*repository, f"apt-get install {PACKAGE}"]


def install(computer: Computer) -> None:
    """Install it.

    Raises:
        NodeError: the repository cannot be reached, or apt failed.
    """
    if not pending(computer):
        return
    try:
        with urllib.request.urlopen(KEY_URL, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - https, a constant
            key = response.read()
    except OSError as error:
        raise NodeError(f"NVIDIA's packages cannot be reached: {KEY_URL}: {error}", by_hand()) from error
    for path, content in ((KEYRING, key), (LIST, LINE.encode())):
        place: Path = computer.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    try:
        packages.apt("update")
        packages.apt("install", PACKAGE)
    except NodeError as error:
        raise NodeError(str(error), by_hand()) from error


def by_hand() -> str:
    """Return what to do where the repository cannot be reached."""
    packages = f"{PACKAGE}, {PACKAGE}-base, libnvidia-container-tools, libnvidia-container1"
    return f"fetch the .deb files of {packages} below {REPOSITORY}/stable/deb/amd64 elsewhere, and dpkg --install them"
