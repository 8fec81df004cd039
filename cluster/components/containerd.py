"""containerd's configuration file (version 2 of its format, which 1.6 reads and 2.x migrates by itself)."""

from pathlib import Path

from cluster.host import NVIDIA_RUNTIME
from cluster.settings import REGISTRY, Node

PAUSE_IMAGE = "localhost/aihub/pause:v1.0.0"
CRI = 'plugins."io.containerd.grpc.v1.cri"'
"""Table of CRI in version 2 of the format."""
CNI_BINARIES = "/usr/lib/cni"
"""Where Debian's containernetworking-plugins puts them; upstream says /opt/cni/bin."""


def configuration(node: Node) -> str:
    """Return the text of ``containerd.toml``."""
    toml_bool = {True: "true", False: "false"}
    return f"""\
version = 2
root = "{node.state / "containerd"}"
state = "{node.run / "containerd"}"

[grpc]
address = "{node.containerd_socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
disable_tcp_service = true
stream_server_address = "127.0.0.1"
# A machine that may not lower an OOM score cannot start a single pod otherwise.
restrict_oom_score_adj = {toml_bool[not node.host.lowers_oom_score]}

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{node.config / "certs.d"}"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_BINARIES}"
conf_dir = "{node.config / "cni"}"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
# An unpacked layer needs no compressed copy beside it; an engine's image has gigabytes.
discard_unpacked_layers = true

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = {toml_bool[node.host.cgroup_driver == "systemd"]}
{chr(10) + nvidia_runtime(CRI, systemd=node.host.cgroup_driver == "systemd") if node.host.nvidia else ""}"""


def nvidia_runtime(table: str, *, systemd: bool = True) -> str:
    """Return the runtime with which a container sees the card: runc, with NVIDIA's hook before it.

    Args:
        table: of the CRI plugin, which differs between versions of the format.
        systemd: whether systemd makes the control groups; must be as it is for runc.
    """
    return f"""\
[{table}.containerd.runtimes.nvidia]
runtime_type = "io.containerd.runc.v2"

[{table}.containerd.runtimes.nvidia.options]
BinaryName = "{NVIDIA_RUNTIME}"
SystemdCgroup = {str(systemd).lower()}
"""


def registry_hosts(authority: Path | None = None) -> str:
    """Return the file that says how containerd reaches our registry.

    Args:
        authority: file with the authority that signed the registry's certificate; None: it speaks plain HTTP.
    """
    address = f"{'https' if authority else 'http'}://{REGISTRY}"
    trust = f'ca = "{authority}"\n' if authority else ""
    return f'server = "{address}"\n\n[host."{address}"]\ncapabilities = ["pull", "resolve"]\n{trust}'
