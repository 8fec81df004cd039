"""The process that gives claims of the default StorageClass their volumes."""

import sys
from pathlib import Path

from cluster.components.service import Service, flags
from cluster.settings import Node

CHECKOUT = Path(__file__).resolve().parents[2]


def volume_provisioner(node: Node) -> Service:
    """Return the provisioner: this project's own, on the interpreter that runs us, under an account of its own."""
    return Service(
        name="volume-provisioner",
        argv=(
            sys.executable,
            "-m",
            "cluster.provisioner",
            *flags({"kubeconfig": node.pki / "volume-provisioner.kubeconfig", "volumes": node.volumes}),
        ),
        environment={"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"},
    )
