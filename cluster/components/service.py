"""The shape of one supervised process."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class HttpHealth:
    """Well when the URL answers 200."""

    url: str
    """Address on this machine."""
    authority: Path | None = None
    """CA of the server's certificate; None for plain HTTP."""
    certificate: Path | None = None
    """Client certificate; its key lies beside it."""


@dataclass(frozen=True, kw_only=True)
class SocketHealth:
    """Well when a connection to the Unix socket or TCP address is accepted."""

    address: str | tuple[str, int]
    """Path of a Unix socket, or host and port."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process of the node."""

    name: str
    argv: tuple[str, ...]
    files: Mapping[Path, str] = field(default_factory=dict)
    """Configuration files by path; a change of one restarts the process."""
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[tuple[str, ...], ...] = ()
    """Commands run before each start; each makes sure of something, so that a failure (it is so already) is ignored."""
    health: HttpHealth | SocketHealth | None = None
    """None: well while it runs."""
    keys: str = ""
    """Fingerprint of the node's certificates: new ones restart the process."""
    stop_seconds: int = 20
    """How long it may take to end by itself."""

    def digest(self) -> str:
        """Return what changes when the process must be restarted: a SHA-256 over command, files and environment."""
        described = {
            "argv": self.argv,
            "files": {str(path): text for path, text in self.files.items()},
            "environment": dict(self.environment),
            "prepare": self.prepare,
            "keys": self.keys,
        }
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def flags(values: Mapping[str, object]) -> tuple[str, ...]:
    """Return ``--name=value`` for each value; booleans as Go's flags spell them."""
    return tuple(
        f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items()
    )
