"""What this machine has: asked once, used by ``doctor`` and before anything is changed."""

import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cluster import openssl
from cluster.settings import RENEWED_BEFORE_SECONDS, Node
from ops.errors import OpsError
from toolchain.cache import cache_root

ARCHITECTURE = "x86_64"
"""What the vendors' downloads are for, and the pinned Python packages; on anything else nothing was ever run."""
UP_GIB = 20
"""Free disk that a first `make up` may need at its height, with everything still to be built."""
AGAIN_GIB = 5
"""Free disk that a later `make up` needs."""
PYTORCH_GIB = 10
"""Free disk that PyTorch's environment needs while it is made: downloads, their cache, the files."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing about the machine."""

    name: str
    ok: bool
    says: str
    """What there is, or what is missing."""
    fix: str = ""
    """What to do where it is not ok."""


def free_gib(path: Path) -> float:
    """Return the free space on the file system that holds ``path`` (or its nearest parent that exists), in GiB."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / 2**30


def python() -> Finding:
    """Which Python is this? One that is too old never comes here."""
    here = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(name="python", ok=True, says=f"Python {here} at {sys.executable}")


def architecture() -> Finding:
    """Is this a processor that the node's programs and images are for?"""
    return Finding(
        name="processor",
        ok=platform.machine() == ARCHITECTURE,
        says=platform.machine(),
        fix=f"use a machine with {ARCHITECTURE}",
    )


def root() -> Finding:
    """May this process set up a node?"""
    return Finding(
        name="root",
        ok=os.geteuid() == 0,
        says="root" if os.geteuid() == 0 else f"user {os.geteuid()}, not root",
        fix="run it as root (sudo make up), or name a cluster you have: aihub:cluster: {context: NAME} "
        "in Pulumi.local.yaml",
    )


def disk(needed_gib: int, *folders: Path) -> Finding:
    """Is there room where it is needed? Where no folder is named, that is the node's and the cache."""
    free, where = min((free_gib(folder), folder) for folder in folders or (Path("/var/lib"), cache_root()))
    return Finding(
        name="disk",
        ok=free >= needed_gib,
        says=f"{free:.0f} GiB free on the disk of {where}, {needed_gib} GiB needed",
        fix=f"free {max(needed_gib - free, 0):.0f} GiB there",
    )


def gpu() -> Finding:
    """Is there an NVIDIA card? Nothing needs one; the chat is faster with it."""
    try:
        command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        card = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        card = ""
    return Finding(name="gpu", ok=True, says=card or "no NVIDIA card: the chat runs on the processor")


def systemd() -> Finding:
    """Does systemd run services here?"""
    runs = Path("/run/systemd/system").is_dir()
    return Finding(
        name="supervisor",
        ok=True,
        says="systemd" if runs else "no systemd: the node's processes get a supervisor of their own",
    )


def debian() -> Finding:
    """Can system packages be installed the way this project does?"""
    there = shutil.which("apt-get") is not None
    return Finding(
        name="packages",
        ok=there,
        says="apt-get" if there else "no apt-get",
        fix="the node needs Debian or Ubuntu; elsewhere bring a cluster: aihub:cluster: {context: NAME}",
    )


def certificates(node: Node) -> list[Finding]:
    """Do the certificates of our own node last? Where none can be read (no node, no root), nothing is said."""
    ends = [openssl.end(certificate) for certificate in node.pki.glob("*.crt")]
    if not ends:
        return []
    first = min(ends)
    return [
        Finding(
            name="certificates",
            ok=first - time.time() > RENEWED_BEFORE_SECONDS,
            says=f"the node's are valid until {time.strftime('%Y-%m-%d', time.gmtime(first))}",
            fix="make up renews them; from that day on the cluster answers nobody",
        )
    ]


def demand(findings: list[Finding]) -> None:
    """Raise one OpsError that names every finding that is not ok, each with its fix."""
    bad = [finding for finding in findings if not finding.ok]
    if bad:
        problems = "\n".join(f"{f.name}: {f.says}\n  -> {f.fix}" for f in bad[:-1])
        last = f"{bad[-1].name}: {bad[-1].says}"
        raise OpsError(f"{problems}\n{last}".strip(), bad[-1].fix)
