"""What must be so before anything is touched; every problem at once, each with its fix."""

import ipaddress
import json
import platform
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster import NodeError, host
from cluster.settings import API_PORT, BRIDGE, ETCD_PEER_PORT, ETCD_PORT, POD_CIDR, SERVICE_CIDR, Node

GIB = 2**30
DISK_GIB = 8
"""Base and node images, their copies in containerd and buildah, logs; the stack's own needs come on top."""
MEMORY_GIB = 2
OLDEST = {"debian": "12", "ubuntu": "24.04"}
"""The first release of each whose etcd is 3.4 or newer; 3.3 ends at once on the options that ours is started with."""
CONTROLLERS = ("cpu", "memory", "pids", "cpuset")
PORTS = {
    API_PORT: "API server",
    ETCD_PORT: "etcd",
    ETCD_PEER_PORT: "etcd",
    5000: "the registry's host port",
    10248: "kubelet's health",
    10249: "kube-proxy's metrics",
    10256: "kube-proxy's health",
    10257: "controller manager",
    10259: "scheduler",
}


@dataclass(frozen=True)
class Problem:
    """Something that stands in the way."""

    what: str
    fix: str


def root() -> list[Problem]:
    """Check that we may set up a node."""
    return [] if host.is_root() else [Problem("a node needs root", "run it with sudo")]


def system() -> list[Problem]:
    """Check that packages come from apt."""
    if shutil.which("apt-get") and shutil.which("dpkg-query"):
        return []
    return [Problem("this is neither Debian nor Ubuntu (no apt-get)", "use a cluster that you have")]


def outdated(release: Mapping[str, str]) -> list[Problem]:
    """Check the release (the fields of ``/etc/os-release``); one that is not known, or has no number, is let be."""
    oldest, version = OLDEST.get(release.get("ID", "")), release.get("VERSION_ID")
    if oldest is None or version is None or _numbers(version) >= _numbers(oldest):
        return []
    name = release["ID"].capitalize()
    return [
        Problem(
            f"{name} {version}: its etcd is too old for a node; {name} {oldest} is the first that will do",
            "upgrade, or use a cluster that you have: aihub:cluster: {context: NAME}",
        )
    ]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def release() -> list[Problem]:
    """Run :func:`outdated` on this machine."""
    try:
        return outdated(platform.freedesktop_os_release())
    except OSError:
        return []


def is_free(port: int) -> bool:
    """Say whether nothing listens on a TCP port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ports() -> list[Problem]:
    """Check that the node's ports are free."""
    return [
        Problem(f"port {port} ({purpose}) is taken", f"stop what holds it: ss -ltnp 'sport = :{port}'")
        for port, purpose in PORTS.items()
        if not is_free(port)
    ]


def disk(path: Path, needed_gib: int) -> list[Problem]:
    """Check that the file system of ``path`` (or its nearest parent that exists) has room."""
    while not path.exists():
        path = path.parent
    free_gib = shutil.disk_usage(path).free / GIB
    if free_gib >= needed_gib:
        return []
    return [
        Problem(f"{path}: {free_gib:.1f} GiB free, {needed_gib} GiB needed", f"free {needed_gib - free_gib:.1f} GiB")
    ]


def memory(meminfo: str) -> list[Problem]:
    """Check the machine's memory, given the text of ``/proc/meminfo``."""
    kib = next(int(line.split()[1]) for line in meminfo.splitlines() if line.startswith("MemAvailable:"))
    if kib * 1024 >= MEMORY_GIB * GIB:
        return []
    problem = f"{kib / 2**20:.1f} GiB of memory available, {MEMORY_GIB} GiB needed"
    return [Problem(problem, "end other programs, or give the machine (in WSL2: .wslconfig) more memory")]


def kernel() -> list[Problem]:
    """Check what the kernel must offer; a module that can be loaded is as good as one that is."""
    found = []
    if "overlay" not in Path("/proc/filesystems").read_text() and not _loads("overlay"):
        found.append(Problem("the kernel has no overlay file system", "use a kernel with CONFIG_OVERLAY_FS"))
    if not Path("/proc/sys/net/bridge").exists() and not _loads("br_netfilter"):
        found.append(Problem("the kernel does not filter bridged packets", "use a kernel with CONFIG_BRIDGE_NETFILTER"))
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    if unified.exists():
        lacking = set(CONTROLLERS) - set(unified.read_text().split())
    else:
        lacking = {name for name in CONTROLLERS if not Path("/sys/fs/cgroup", name).is_dir()}
    if lacking:
        fix = "enable them on the kernel's command line (cgroup_enable=...)"
        found.append(Problem(f"control groups without {', '.join(sorted(lacking))}", fix))
    return found


def _loads(module: str) -> bool:
    if not shutil.which("modprobe"):
        return False
    return subprocess.run(["modprobe", "--dry-run", module], capture_output=True, check=False).returncode == 0


def overlapping(routes: Iterable[dict[str, str]]) -> list[Problem]:
    """Check that the machine's routes (``ip -json route``) leave the cluster's addresses alone."""
    ours = [ipaddress.ip_network(POD_CIDR), ipaddress.ip_network(SERVICE_CIDR)]
    found = []
    for route in routes:
        if route["dst"] == "default" or route.get("dev") == BRIDGE:
            continue
        network = ipaddress.ip_network(route["dst"])
        for own in (own for own in ours if own.overlaps(network)):
            problem = f"the machine routes {network} to {route.get('dev', '?')}, and the cluster uses {own}"
            found.append(
                Problem(problem, "take that network down while the node runs (a VPN, Docker, another cluster)")
            )
    return found


def routes() -> list[Problem]:
    """Run :func:`overlapping` on this machine; without ``ip`` (yet) there is nothing to say."""
    if not shutil.which("ip"):
        return []
    shown = subprocess.run(["ip", "-json", "-4", "route"], capture_output=True, text=True, check=False).stdout
    return overlapping(json.loads(shown or "[]"))


def check(node: Node) -> None:
    """Look at everything.

    Raises:
        NodeError: naming every problem with its fix.
    """
    found = [
        *root(),
        *system(),
        *release(),
        *ports(),
        *disk(node.state, DISK_GIB),
        *memory(Path("/proc/meminfo").read_text()),
        *kernel(),
        *routes(),
    ]
    if found:
        *others, last = found
        before = "".join(f"{problem.what}\n  -> {problem.fix}\n" for problem in others)
        raise NodeError(before + last.what, last.fix)
