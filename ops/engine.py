"""Pulumi's engine, pointed at one stack: its configuration, its state, its environment."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster import no_proxy
from ops.credentials import Credentials, write_private
from ops.errors import OpsError
from ops.paths import CHECKOUT, VENV, StackPaths
from ops.providers import Providers

PROJECT = "aihub"


def build_files() -> dict[str, str]:
    """Return the variables that name the machine's own certificates, pip and npm configuration, for image builds.

    Of pip's and npm's files only those that a variable names: a person's own may hold more than a build should see.
    """
    certificates = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    pip, npm = (os.environ.get(name, "") for name in ("PIP_CONFIG_FILE", "NPM_CONFIG_USERCONFIG"))
    found = {
        "AIHUB_BUILD_CA": Path(certificates),
        "AIHUB_BUILD_PIP_CONF": Path(pip),
        "AIHUB_BUILD_NPMRC": Path(npm),
    }
    return {name: str(path) for name, path in found.items() if path.is_file()}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The Pulumi CLI with everything it needs to act on one stack."""

    paths: StackPaths
    binaries: Sequence[Path]
    """Folders of the CLI and its language host; first on PATH."""
    providers: Providers
    """Which resource providers it finds."""
    kubeconfig: Path | None
    """Access to the cluster; None: the person's own."""
    variables: Mapping[str, str]
    """Further variables, such as the builder's registries."""

    def additions(self) -> dict[str, str]:
        """Return what this adds to the environment, PATH aside."""
        return {
            "PULUMI_BACKEND_URL": f"file://{self.paths.state}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.paths.passphrase),
            "PULUMI_OPTION_CONFIG_FILE": str(self.paths.config),
            "PULUMI_STACK": self.paths.stack,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            # An Output inside an f-string must stop the program, not reach a manifest as an error text.
            "PULUMI_ERROR_OUTPUT_STRING": "1",
            **({"KUBECONFIG": str(self.kubeconfig)} if self.kubeconfig else {}),
            **build_files(),
            **self.providers.variables,
            **self.variables,
        }

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the CLI; a passphrase in the person's own does not reach it."""
        path = os.pathsep.join([*self._path(), os.environ["PATH"]])
        base = {key: value for key, value in os.environ.items() if key != "PULUMI_CONFIG_PASSPHRASE"}
        return {**base, **self.additions(), "PATH": path}

    def _path(self) -> list[str]:
        """Return what comes first on PATH: the CLI, stand-ins if any, and the program's Python."""
        # A language host built from its module knows no virtual environment: it runs the first `python` on PATH.
        return [str(path) for path in (*self.binaries, *self.providers.path, VENV / "bin")]

    def shell_lines(self) -> str:
        """Return lines for ``source``: then ``pulumi up``, typed by hand, does what ``make up`` does."""
        path = os.pathsep.join(self._path())
        lines = [f"export {name}={shlex.quote(value)}" for name, value in self.additions().items()]
        direct = [
            f'export {name}={shlex.quote(os.environ[name])}"${{{name}:+,${name}}}"'
            for name in no_proxy.NAMES
            if os.environ.get(name, "*") != "*"
        ]
        return "\n".join([*lines, *direct, f'export PATH={shlex.quote(path)}:"$PATH"', ""])

    def run(self, *arguments: str, stdin: str = "") -> None:
        """Run the CLI; its output goes to the person.

        Raises:
            OpsError: it failed; its own message stands above.
        """
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=CHECKOUT,
            env=self.environment(),
            input=stdin,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OpsError(
                f"pulumi {arguments[0]} failed for stack {self.paths.stack} (its message stands above)",
                "mend what it names and run the same command again: it goes on where it stopped",
            )

    def ask(self, *arguments: str) -> str:
        """Run the CLI quietly and return its standard output; raise OpsError with its message if it fails."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=CHECKOUT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OpsError(f"pulumi {' '.join(arguments)}: {done.stderr.strip()[-800:]}", "see its message")
        return done.stdout

    def prepare(self, credentials: Credentials) -> None:
        """Make backend, stack and configuration; does nothing where all is as it should be."""
        self.paths.state.mkdir(mode=0o700, exist_ok=True)
        write_private(self.paths.environment, self.shell_lines())
        self._write_config()
        # `stack select` knows no --config-file: in the checkout it would write its salt into the committed file.
        shutil.copyfile(CHECKOUT / "Pulumi.yaml", self.paths.directory / "Pulumi.yaml")
        self.ask("stack", "select", "--create", self.paths.stack, "--cwd", str(self.paths.directory))
        self._break_dead_lock()
        self._set_secrets(credentials.stack_secrets())

    def outputs(self) -> dict[str, Any]:
        """Return the stack's exports."""
        outputs: dict[str, Any] = json.loads(self.ask("stack", "output", "--json"))
        return outputs

    def _write_config(self) -> None:
        """Copy the committed configuration; keep the encrypted values that the copy alone has."""
        declared = yaml.safe_load(self.paths.declared_config.read_text()) or {}
        kept = (yaml.safe_load(self.paths.config.read_text()) or {}) if self.paths.config.exists() else {}
        secure = {k: v for k, v in kept.get("config", {}).items() if isinstance(v, dict) and set(v) == {"secure"}}
        merged = {
            **declared,
            **{key: value for key, value in kept.items() if key == "encryptionsalt"},
            "config": {**declared.get("config", {}), **secure},
        }
        write_private(self.paths.config, yaml.safe_dump(merged, sort_keys=False, allow_unicode=True))

    def _set_secrets(self, values: Mapping[str, str]) -> None:
        """Encrypt the secrets into the configuration, where they are not there yet or have changed."""
        marker = self.paths.directory / "secrets.sha256"
        config = yaml.safe_load(self.paths.config.read_text()) or {}
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        present = {f"{PROJECT}:{key}" for key in values} <= set(config.get("config", {}))
        if present and marker.exists() and marker.read_text() == digest:
            return
        for key, value in values.items():
            # By standard input: an argument could be read by any process of this machine.
            self.run("config", "set", "--secret", f"{PROJECT}:{key}", stdin=value)
        write_private(marker, digest)

    def _break_dead_lock(self) -> None:
        """Remove the lock of an engine that was killed: its process is gone, and nobody else is at work."""
        for lock in self.paths.state.glob(".pulumi/locks/**/*.json"):
            pid = json.loads(lock.read_text()).get("pid", 0)
            if not Path(f"/proc/{pid}").exists():
                lock.unlink()
