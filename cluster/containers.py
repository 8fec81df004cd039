"""The node's containerd, asked through its own command line."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster import NodeError
from cluster.settings import Node

NAMESPACE = "k8s.io"
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Containers:
    """Images and containers of one node."""

    node: Node

    def _try(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ctr; what it acts on may have ended by itself meanwhile."""
        command = ["ctr", "--address", str(self.node.containerd_socket), "--namespace", NAMESPACE, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def _ctr(self, *arguments: str) -> list[str]:
        done = self._try(*arguments)
        if done.returncode:
            said = done.stderr.strip()[-400:]
            raise NodeError(f"ctr {' '.join(arguments)}: {said}", f"see {self.node.log / 'containerd.log'}")
        return done.stdout.splitlines()

    def import_image(self, archive: Path) -> None:
        """Take an image from an archive and unpack it.

        Raises:
            NodeError: containerd refused.
        """
        self._ctr("images", "import", str(archive))

    def _running(self) -> list[str]:
        rows = [line.split() for line in self._ctr("tasks", "list")[1:]]
        return [row[0] for row in rows if row[2] == "RUNNING"]

    def network_namespaces(self) -> Iterator[Path]:
        """Yield the mounted network namespace of every pod."""
        for name in self._ctr("containers", "list", "--quiet"):
            spec = json.loads("\n".join(self._ctr("containers", "info", name))).get("Spec", {})
            for namespace in spec.get("linux", {}).get("namespaces", []):
                if namespace["type"] == "network" and namespace.get("path"):
                    yield Path(namespace["path"])

    def end_all(self, grace_seconds: float) -> None:
        """Ask every container to end, wait, kill the rest, and forget them all.

        Raises:
            NodeError: containerd does not answer.
        """
        for name in self._running():
            self._try("tasks", "kill", name)
        deadline = time.monotonic() + grace_seconds
        while self._running() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        for name in self._ctr("tasks", "list", "--quiet"):
            self._try("tasks", "delete", "--force", name)
        for name in self._ctr("containers", "list", "--quiet"):
            self._ctr("containers", "delete", name)
