"""Keeping the node's processes alive: systemd where it runs, else one small runner a process."""

from typing import Protocol

from cluster.components.service import Service
from cluster.settings import Node
from cluster.supervise.processes import Processes
from cluster.supervise.systemd import Systemd


class Supervisor(Protocol):
    """What both ways can do."""

    def running_digest(self, name: str) -> str | None:
        """Return the digest of the service that runs under ``name``; None: it does not run."""

    def start(self, service: Service) -> None:
        """Start the service, or restart it; returns before it is well."""

    def stop(self, name: str) -> None:
        """End the service if it runs; returns when it has ended."""

    def names(self) -> list[str]:
        """Return the names of the services that were ever started and not stopped."""


def supervisor(node: Node) -> Supervisor:
    """Return the machine's way."""
    return Systemd() if node.host.systemd else Processes(run=node.run / "services", log=node.log)
