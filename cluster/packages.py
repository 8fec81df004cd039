"""System packages: the only thing that ``reset`` leaves behind."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cluster import NodeError

PACKAGES: Mapping[str, str] = {
    "containerd": "runs containers",
    "runc": "starts each container",
    "containernetworking-plugins": "gives pods their network",
    "etcd-server": "keeps the cluster's objects",
    "iptables": "services and host ports",
    "iproute2": "the pods' bridge",
    "kmod": "loads kernel modules",
    "procps": "sets kernel parameters",
    "conntrack": "kube-proxy forgets old connections with it",
    "ebtables": "kubelet asks for it",
    "socat": "the way from pods to the API server; kubectl port-forward",
    "ethtool": "kubelet asks for it",
    "openssl": "keys and certificates",
    "buildah": "builds images",
    "skopeo": "copies images",
    "fuse-overlayfs": "buildah's storage where the kernel's overlay is not allowed",
    "mmdebstrap": "makes the base image",
    "debian-archive-keyring": "tells whether Debian's packages are Debian's",
}
"""Debian's and Ubuntu's names, each with what it is for."""
PROGRAMS = {"containerd": Path("/usr/bin/containerd"), "runc": Path("/usr/bin/runc")}
"""Programs that count for their package, whoever brought them: Docker's ``containerd.io`` holds both, and apt would
remove it, and Docker with it, for Debian's packages."""


def missing() -> list[str]:
    """Return the packages that are not installed, nor replaced by others' that bring the same program."""
    command = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *PACKAGES]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    installed |= {name for name, program in PROGRAMS.items() if program.exists()}
    return [name for name in PACKAGES if name not in installed]


def _removed(said: str) -> str:
    """Return what apt-get says that it would remove, as its lines name it; empty: nothing."""
    found = re.search(r"^The following packages will be REMOVED:\n((?: .*\n)+)", said, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def apt(*arguments: str) -> None:
    """Run apt-get, which never removes a package for it.

    Raises:
        NodeError: it failed, or would have had to remove something.
    """
    # A lock held by the machine's own update is waited for.
    command = ["apt-get", "--quiet", "--yes", "--no-remove", "-o", "DPkg::Lock::Timeout=300", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        if removed := _removed(done.stdout):
            by_hand = shlex.join(["apt-get", *arguments])
            raise NodeError(
                f"apt-get {arguments[0]} would remove {removed}; nothing was changed",
                f"if you can do without: sudo {by_hand}; else use another machine, or a cluster that you have",
            )
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise NodeError(f"apt-get {arguments[0]} failed: {said}", f"run it by hand: {' '.join(command)}")


UNIT_FOLDERS = (Path("/lib/systemd/system"), Path("/usr/lib/systemd/system"))
RUNNING_SYSTEMD = Path("/run/systemd/system")
"""There where systemd runs the machine."""


def _services() -> set[str]:
    return {path.name for folder in UNIT_FOLDERS for path in folder.glob("*.service") if "@" not in path.name}


def install(names: list[str]) -> None:
    """Install packages; services that come with them, and were not there before, are put to rest.

    Raises:
        NodeError: apt-get failed.
    """
    before = _services()
    if not Path("/var/lib/apt/lists").exists() or not any(Path("/var/lib/apt/lists").glob("*Packages*")):
        apt("update")
    try:
        apt("install", "--no-install-recommends", *names)
    except NodeError:
        # Lists that are days old name versions that the mirror has dropped.
        apt("update")
        apt("install", "--no-install-recommends", *names)
    if shutil.which("systemctl") and RUNNING_SYSTEMD.is_dir():
        for unit in sorted(_services() - before):
            subprocess.run(["systemctl", "disable", "--quiet", "--now", unit], check=False)
