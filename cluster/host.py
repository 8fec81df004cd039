"""Facts about the machine that decide how the node's parts are configured. Nothing here changes anything."""

import os
from dataclasses import dataclass
from pathlib import Path

CAP_SYS_RESOURCE = 24
"""Bit number in Linux' capability masks (capabilities(7))."""
NVIDIA_RUNTIME = "/usr/bin/nvidia-container-runtime"
"""Where the packages of NVIDIA's container toolkit put what containerd calls in place of runc."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """What is so on this machine and cannot be chosen."""

    systemd: bool
    """systemd is PID 1 and takes units."""
    unified_cgroups: bool
    """The cgroup file system is version 2 throughout."""
    lowers_oom_score: bool
    """Processes may lower their own OOM score; small virtual machines and containers often take that away."""
    resolv_conf: Path
    """The file with real name servers: systemd-resolved's stub on 127.0.0.53 answers no pod."""
    nvidia: bool = False
    """NVIDIA's container toolkit is installed."""

    @property
    def cgroup_driver(self) -> str:
        """Who makes the pods' control groups: ``systemd`` must, where it owns a unified tree, or both would write."""
        return "systemd" if self.systemd and self.unified_cgroups else "cgroupfs"


def has_capability(status: str, bit: int) -> bool:
    """Say whether the effective capabilities in the text of ``/proc/<pid>/status`` include ``bit``."""
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(mask, 16) >> bit & 1)


def detect() -> Host:
    """Look at the machine."""
    resolved = Path("/run/systemd/resolve/resolv.conf")
    stub = "127.0.0.53" in Path("/etc/resolv.conf").read_text() if Path("/etc/resolv.conf").exists() else False
    return Host(
        systemd=Path("/run/systemd/system").is_dir(),
        unified_cgroups=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        lowers_oom_score=has_capability(Path("/proc/self/status").read_text(), CAP_SYS_RESOURCE),
        resolv_conf=resolved if stub and resolved.exists() else Path("/etc/resolv.conf"),
        nvidia=Path(NVIDIA_RUNTIME).exists(),
    )


def is_root() -> bool:
    """Say whether this process may set up a node."""
    return os.geteuid() == 0
