"""The ``helm`` program: what is asked of it, with every secret in files that do not outlive the call."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from plugins.kubernetes.chart import Release
from plugins.kubernetes.settings import Settings, load_kubeconfig
from plugins.protocol.process import run
from plugins.protocol.provider import Operation, ProviderError

_REPOSITORY = "chart-repository"
"""The name that a release's repository has in the configuration made for one call."""


@dataclass(frozen=True)
class Helm:
    """Calls of ``helm`` against one cluster, from one private folder."""

    folder: Path
    context: str

    def upgrade(self, release: Release, operation: Operation) -> None:
        """Install the release, or bring it to what is declared.

        Raises:
            ProviderError: helm failed; its own words.
        """
        if release.repository.get("repo"):
            self._write("repositories.yaml", _repositories(release))
            run(["helm", "repo", "update", *self._options()], operation)
        files = [self._write(f"values-{index}.yaml", text) for index, text in enumerate(release.value_files)]
        files.append(self._write("values.json", json.dumps(release.values)))
        run([*upgrade_command(release, files), *self._options()], operation)

    def status(self, name: str, namespace: str) -> dict[str, Any] | None:
        """Return what helm knows of a release, or None when there is none."""
        return self._ask("get", "metadata", name, "--namespace", namespace)

    def values(self, name: str, namespace: str) -> dict[str, Any]:
        """Return the values that a release was given."""
        return self._ask("get", "values", name, "--namespace", namespace) or {}

    def uninstall(self, name: str, namespace: str, timeout_seconds: int, operation: Operation) -> None:
        """Remove a release and wait until its objects are gone; one that is gone already is no error."""
        command = ["helm", "uninstall", name, "--namespace", namespace, "--ignore-not-found", "--wait"]
        run([*command, "--timeout", f"{timeout_seconds}s", *self._options()], operation)

    def _ask(self, *arguments: str) -> dict[str, Any] | None:
        command = ["helm", *arguments, "--output", "json", *self._options()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            if "not found" in done.stderr:
                return None
            raise ProviderError(f"helm {arguments[0]} failed: {done.stderr.strip()}")
        answer: dict[str, Any] | None = json.loads(done.stdout)
        return answer

    def _options(self) -> list[str]:
        return [
            *("--kubeconfig", str(self.folder / "kubeconfig")),
            *(("--kube-context", self.context) if self.context else ()),
            *("--repository-config", str(self.folder / "repositories.yaml")),
            *("--repository-cache", str(self.folder / "cache")),
        ]

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path


def upgrade_command(release: Release, value_files: list[Path]) -> list[str]:
    """Return the command that installs or upgrades, but for how to reach the cluster."""
    chart = f"{_REPOSITORY}/{release.chart}" if release.repository.get("repo") else release.chart
    command = ["helm", "upgrade", "--install", release.name, chart, "--namespace", release.namespace]
    command += [option for path in value_files for option in ("--values", str(path))]
    command += ["--version", release.version] if release.version else []
    command += ["--wait"] if release.wait else []
    command += ["--history-max", str(release.history)] if release.history else []
    return [*command, "--timeout", f"{release.timeout_seconds}s", *release.switches]


def _repositories(release: Release) -> str:
    entry = {
        "name": _REPOSITORY,
        "url": release.repository["repo"],
        "username": release.repository.get("username") or "",
        "password": release.repository.get("password") or "",
    }
    return yaml.safe_dump({"apiVersion": "v1", "repositories": [entry]})


@contextmanager
def helm(settings: Settings) -> Iterator[Helm]:
    """Give a helm that acts on the cluster of the settings.

    Raises:
        ProviderError: there is no helm, or no kubeconfig.
    """
    if shutil.which("helm") is None:
        raise ProviderError("the program helm is not on PATH: install Helm 3, or build it as `make doctor` describes")
    kubeconfig = load_kubeconfig(settings)
    shared = Path("/dev/shm")  # noqa: S108 - TemporaryDirectory makes a folder of mode 0700 in it
    with tempfile.TemporaryDirectory(prefix="helm-", dir=shared if os.access(shared, os.W_OK) else None) as name:
        found = Helm(folder=Path(name), context=settings.context)
        found._write("kubeconfig", yaml.safe_dump(kubeconfig))
        yield found
