"""Taking back what containers, kubelet and CNI leave in the kernel: mounts, namespaces, bridge, control groups."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from cluster import NodeError
from cluster.settings import BRIDGE, NAME, Node

CNI_CACHE = Path("/var/lib/cni/results")
CONTAINER_LOGS = Path("/var/log/containers")
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
"""A constant of the kubelet's and of every device plugin's."""
DEVICE_PLUGIN_FILES = ("kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION")


def mounts_below(folders: Iterable[Path], mountinfo: str) -> list[str]:
    """Return the mount points below ``folders``, deepest first, given the text of ``/proc/self/mountinfo``."""
    points = [line.split()[4].encode().decode("unicode_escape") for line in mountinfo.splitlines()]
    prefixes = tuple(f"{folder}/" for folder in folders)
    return sorted((point for point in points if point.startswith(prefixes)), key=len, reverse=True)


def _remove_if_empty(folder: Path) -> None:
    """Remove an empty folder; one in use stays: a mount point, a control group with somebody's process in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def unmount(node: Node) -> None:
    """Unmount what kubelet and containerd mounted below the node's folders."""
    for point in mounts_below((node.state, node.run), Path("/proc/self/mountinfo").read_text()):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


def remove_elsewhere(node: Node) -> None:
    """Remove what CNI and the kubelet put outside the node's folders whatever they are told: cache, links, a socket."""
    # One file a pod for our network, and one of the same number for its loopback interface.
    for number in {file.name.split("-")[1] for file in CNI_CACHE.glob(f"{NAME}-*")}:
        for file in CNI_CACHE.glob(f"*-{number}-*"):
            file.unlink()
    for link in CONTAINER_LOGS.glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(node.log):
            link.unlink()
    for name in DEVICE_PLUGIN_FILES:
        (DEVICE_PLUGINS / name).unlink(missing_ok=True)
    for folder in (CNI_CACHE, CNI_CACHE.parent, CONTAINER_LOGS, DEVICE_PLUGINS, DEVICE_PLUGINS.parent):
        _remove_if_empty(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it; where it is a disk of its own, all in it.

    Raises:
        NodeError: something is still mounted below it; removing on would remove what is mounted.
    """
    if mounted := mounts_below([folder], Path("/proc/self/mountinfo").read_text()):
        raise NodeError(f"{folder} is not removed: {', '.join(mounted)} is still mounted", f"umount {mounted[0]}")
    for path in folder.iterdir() if folder.exists() else ():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    _remove_if_empty(folder)


def remove_bridge() -> None:
    """Remove the pods' bridge; the pods' ends are gone with their network namespaces."""
    if Path("/sys/class/net", BRIDGE).exists():
        subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)


def remove_network_namespaces(paths: Iterable[Path]) -> None:
    """Remove pods' network namespaces."""
    for path in paths:
        subprocess.run(["umount", "--lazy", str(path)], capture_output=True, check=False)
        path.unlink(missing_ok=True)


def remove_control_groups() -> None:
    """Remove the kubelet's empty control groups, innermost first."""
    for pattern in ("kubepods*", "*/kubepods*"):
        for top in Path("/sys/fs/cgroup").glob(pattern):
            if top.is_dir():
                for group in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
                    _remove_if_empty(group)
                _remove_if_empty(top)
