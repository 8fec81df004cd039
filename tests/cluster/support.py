"""A node in a temporary folder, on a machine described by hand."""

import dataclasses
from pathlib import Path

from cluster.host import Host
from cluster.settings import Node

ORDINARY = Host(systemd=True, unified_cgroups=True, lowers_oom_score=True, resolv_conf=Path("/etc/resolv.conf"))
CONFINED = dataclasses.replace(ORDINARY, systemd=False, unified_cgroups=False, lowers_oom_score=False)


def node_in(folder: Path, host: Host = ORDINARY, expose: str | None = None) -> Node:
    return Node(host=host, state=folder / "state", run=folder / "run", binaries=Path("/k8s"), expose=expose)
