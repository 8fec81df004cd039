"""The only way in which a look reads the machine."""

import json
import secrets
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cluster.dns import query
from ops.kubectl import Kubectl

TIMEOUT_SECONDS = 20
DNS_TIMEOUT_SECONDS = 2.0
_FAILED = 0x0F
"""Bits of a DNS header in which a server says why it has no answer."""


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    status: int
    """Its exit status; 127: there is no such command."""
    output: str
    """What it printed to standard output."""
    errors: str = ""
    """What it printed to standard error."""

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.status == 0


class Machine(Protocol):
    """A machine that can be asked, and the cluster behind it."""

    def read(self, path: str) -> str | None:
        """Return a file's text; None where there is none, or it may not be read."""

    def run(self, *argv: str) -> Ran:
        """Run a command that changes nothing."""

    def kubectl(self, *arguments: str) -> dict[str, Any] | None:
        """Return what ``kubectl get`` answers as JSON; None where no cluster answers."""

    def ask_dns(self, server: str, name: str) -> str | None:
        """Return the address that a name server gives for a name; None: it gives none."""

    def is_free(self, port: int) -> bool:
        """Say whether nothing listens on a TCP port of this machine's loopback."""


@dataclass(frozen=True, kw_only=True)
class ThisMachine:
    """The machine that this runs on."""

    cluster: Kubectl | None = None
    """None: no cluster can be asked."""

    def read(self, path: str) -> str | None:
        """Return a file's text; None where there is none, or it may not be read."""
        try:
            return Path(path).read_text(errors="replace")
        except OSError:
            return None

    def run(self, *argv: str) -> Ran:
        """Run a command that changes nothing."""
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
        except FileNotFoundError:
            return Ran(127, "", f"{argv[0]}: not found")
        except (subprocess.TimeoutExpired, OSError) as error:
            return Ran(124, "", str(error))
        return Ran(done.returncode, done.stdout, done.stderr)

    def kubectl(self, *arguments: str) -> dict[str, Any] | None:
        """Return what ``kubectl get`` answers as JSON; None where no cluster answers."""
        if self.cluster is None:
            return None
        done = self.cluster.run("get", *arguments, "-o", "json", "--request-timeout=5s")
        return dict(json.loads(done.stdout)) if done.returncode == 0 else None

    def ask_dns(self, server: str, name: str) -> str | None:
        """Return the address that a name server gives for a name; None: it gives none."""
        number = secrets.randbelow(2**16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.settimeout(DNS_TIMEOUT_SECONDS)
            try:
                connection.connect((server, 53))
                connection.send(query(name, number))
                return answered(connection.recv(512), number)
            except OSError:
                return None

    def is_free(self, port: int) -> bool:
        """Say whether nothing listens on a TCP port of this machine's loopback."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
        return True


def answered(message: bytes, number: int) -> str | None:
    """Return the address in a DNS answer to the question ``number``; None: it holds none.

    The address is the last field of the last record, whatever aliases come before it.
    """
    if len(message) < struct.calcsize("!6H"):
        return None
    its_number, flags, _, answers, authorities, additions = struct.unpack_from("!6H", message)
    if its_number != number or flags & _FAILED or not answers or authorities or additions:
        return None
    return socket.inet_ntoa(message[-4:])
