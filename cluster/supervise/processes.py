"""Supervision without systemd: a runner of our own beside each process, recorded by number and start time."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.components.service import Service
from cluster.settings import PATH
from cluster.supervise.identity import Process
from cluster.supervise.runner import Specification

CHECKOUT = Path(__file__).resolve().parents[2]
KILL_MARGIN_SECONDS = 10


def _recorded(path: Path) -> Process | None:
    """Return the process that a record names if it still runs."""
    try:
        record = json.loads(path.read_text())
        process = Process(record["pid"], record["started_ticks"])
    except (OSError, ValueError, KeyError):
        return None
    return process if process.is_alive() else None


@dataclass(frozen=True, kw_only=True)
class Processes:
    """The services of one node as plain processes; they outlive the terminal that started them."""

    run: Path
    """Folder of the specifications and records; empty after a reboot, as the processes are."""
    log: Path
    """Folder of the logs."""

    def _specification(self, name: str) -> Path:
        return self.run / f"{name}.json"

    def _runner(self, name: str) -> Path:
        return self.run / f"{name}.runner"

    def running_digest(self, name: str) -> str | None:
        """Return the digest of the service that runs under ``name``; None: it does not run."""
        if not _recorded(self._runner(name)):
            return None
        return str(json.loads(self._specification(name).read_text())["digest"])

    def start(self, service: Service) -> None:
        """Start the service, or restart it; returns before it is well."""
        self.stop(service.name)
        for folder in (self.run, self.log):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self.log / f"{service.name}.log"
        specification = Specification(
            name=service.name,
            argv=list(service.argv),
            environment=dict(service.environment),
            prepare=[list(command) for command in service.prepare],
            stop_seconds=service.stop_seconds,
            log=str(log),
            digest=service.digest(),
        )
        self._specification(service.name).write_text(json.dumps(asdict(specification), indent=1))
        with log.open("a") as output:
            runner = subprocess.Popen(
                [sys.executable, "-P", "-m", "cluster.supervise.runner", str(self._specification(service.name))],
                cwd="/",
                env={
                    "PATH": PATH,
                    "PYTHONPATH": str(CHECKOUT),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        # The record is written by us, before anything can interrupt: a runner without one could not be stopped.
        process = Process.of(runner.pid)
        self._runner(service.name).write_text(json.dumps(vars(process)) if process else "{}")

    def stop(self, name: str) -> None:
        """End the service if it runs; returns when it has ended."""
        try:
            patience = json.loads(self._specification(name).read_text())["stop_seconds"] + KILL_MARGIN_SECONDS
        except (OSError, ValueError, KeyError):
            patience = KILL_MARGIN_SECONDS
        # The runner first, or it would start the process again; then what a killed runner may have left behind.
        for record in (self._runner(name), self.run / f"{name}.child"):
            if process := _recorded(record):
                process.end(patience)
            record.unlink(missing_ok=True)
        self._specification(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the names of the services that were ever started and not stopped."""
        return sorted({path.stem for path in self.run.glob("*.*")}) if self.run.exists() else []
