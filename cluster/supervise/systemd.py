"""Supervision by systemd: one unit a service, started again after a reboot."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cluster import NodeError
from cluster.components.service import Service

PREFIX = "aihub-"
DIGEST = "X-Aihub-Digest"
"""systemd ignores keys that begin with ``X-``."""


def quoted(argument: str) -> str:
    """Return an argument as a unit file wants it: quotes, backslashes, ``%`` and ``$`` have meanings there."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def unit(service: Service) -> str:
    """Return the text of the service's unit file."""
    lines = [
        "[Unit]",
        f"Description=aihub node: {service.name}",
        "After=network.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        f"{DIGEST}={service.digest()}",
        *(f"Environment={quoted(f'{name}={value}')}" for name, value in service.environment.items()),
        # "-": it is so already; and every path is looked up, for a unit has no PATH of ours.
        *(f"ExecStartPre=-/usr/bin/env {' '.join(map(quoted, command))}" for command in service.prepare),
        f"ExecStart={' '.join(map(quoted, service.argv))}",
        "Restart=always",
        "RestartSec=2",
        f"TimeoutStopSec={service.stop_seconds}",
        # The main process alone: a restart of containerd leaves the containers running.
        "KillMode=process",
        "Delegate=yes",
        "LimitNOFILE=1048576",
        "TasksMax=infinity",
        "RuntimeDirectory=aihub",
        "RuntimeDirectoryPreserve=yes",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
    ]
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Systemd:
    """The services of one node as units."""

    units: Path = Path("/etc/systemd/system")

    def _file(self, name: str) -> Path:
        return self.units / f"{PREFIX}{name}.service"

    def _systemctl(self, *arguments: str) -> str:
        done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NodeError(f"systemctl {' '.join(arguments)}: {done.stderr.strip()}", "journalctl -xe")
        return done.stdout.strip()

    def running_digest(self, name: str) -> str | None:
        """Return the digest of the service that runs under ``name``; None: it does not run."""
        file = self._file(name)
        command = ["systemctl", "is-active", "--quiet", file.name]
        if not file.exists() or subprocess.run(command, check=False).returncode:
            return None
        found = [line for line in file.read_text().splitlines() if line.startswith(f"{DIGEST}=")]
        return found[0].partition("=")[2] if found else None

    def start(self, service: Service) -> None:
        """Start the service, or restart it; returns before it is well."""
        file = self._file(service.name)
        file.write_text(unit(service))
        self._systemctl("daemon-reload")
        self._systemctl("enable", "--quiet", file.name)
        self._systemctl("restart", "--no-block", file.name)

    def stop(self, name: str) -> None:
        """End the service if it runs; returns when it has ended."""
        file = self._file(name)
        if file.exists():
            self._systemctl("disable", "--quiet", "--now", file.name)
            file.unlink()
            self._systemctl("daemon-reload")

    def names(self) -> list[str]:
        """Return the names of the services that were ever started and not stopped."""
        return sorted(path.stem.removeprefix(PREFIX) for path in self.units.glob(f"{PREFIX}*.service"))
