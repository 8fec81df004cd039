"""containerd's configuration file (version 2 of its format, which 1.6 reads and 2.x migrates by itself)."""

from cluster.settings import Node

PAUSE_IMAGE = "localhost/aihub/pause:v1.0.0"
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
"""
