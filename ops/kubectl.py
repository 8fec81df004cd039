"""The only way in which a command calls kubectl: it asks the stack's own cluster, whichever is the current one."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops import access
from ops.errors import OpsError
from ops.paths import StackPaths

FIX = "make doctor names the cluster that is asked"


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl, and the cluster of one stack."""

    program: Path
    """kubectl."""
    environment: Mapping[str, str]
    """Its environment."""
    context: str | None = None
    """Context of the kubeconfig; None: the only one that it has."""

    @classmethod
    def of(cls, paths: StackPaths) -> "Kubectl":
        """Return the way to a stack's cluster; the cluster itself is not asked.

        Raises:
            OpsError: there is no kubectl; or the stack names no cluster where there are several to choose from.
        """
        reach = access.of_stack(paths)
        own = {"KUBECONFIG": str(reach.kubeconfig)} if reach.kubeconfig else {}
        found = cls(program=access.kubectl(), environment={**os.environ, **own}, context=reach.context)
        if reach.context is None:
            known = found.run("config", "get-contexts", "--output=name").stdout.split()
            # The current one is whichever was used last: nothing of ours may depend on that.
            if len(known) > 1:
                raise OpsError(
                    f"stack {paths.stack} names no cluster, and the kubeconfig has several: {', '.join(known)}",
                    f"name one in Pulumi.{paths.stack}.yaml: aihub:cluster: {{context: NAME}}",
                )
        return found

    def command(self, *arguments: str) -> list[str]:
        """Return a command line."""
        context = ["--context", self.context] if self.context else []
        return [str(self.program), *context, *arguments]

    def run(
        self, *arguments: str, stdin: str = "", seconds: float | None = None, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run it; its status is the caller's to judge.

        Args:
            *arguments: its arguments.
            stdin: its input.
            seconds: how long it may take, else ``subprocess.TimeoutExpired`` is raised; None: for ever.
            **variables: further ones of its environment.
        """
        return subprocess.run(
            self.command(*arguments),
            env={**self.environment, **variables},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def ask(self, *arguments: str, stdin: str = "", fine: Sequence[int] = (0,), **variables: str) -> str:
        """Run it and return what it says.

        Raises:
            OpsError: it ended otherwise than ``fine`` says; the message ends in its own.
        """
        done = self.run(*arguments, "--request-timeout=30s", stdin=stdin, seconds=None, **variables)
        if done.returncode not in fine:
            raise OpsError(f"the cluster does not answer: {done.stderr.strip()[-400:]}", FIX)
        return done.stdout

    def get(self, *arguments: str) -> dict[str, Any]:
        """Return what ``kubectl get`` answers as JSON.

        Raises:
            OpsError: the cluster does not answer.
        """
        return dict(json.loads(self.ask("get", *arguments, "-o", "json")))

    def address(self) -> str:
        """Return context and address of the cluster, as the kubeconfig has them.

        Raises:
            OpsError: it has no such cluster.
        """
        told = "jsonpath={.current-context}, {.clusters[0].cluster.server}"
        done = self.run("config", "view", "--minify", "--output", told)
        if done.returncode:
            wanted = f"no cluster {self.context}" if self.context else "no current cluster, and the stack names none"
            raise OpsError(
                f"the kubeconfig has {wanted}: {done.stderr.strip()[-200:]}",
                "kubectl config get-contexts shows what it has; kubectl config rename-context OLD NEW renames one; "
                "the stack's file names its own: aihub:cluster: {context: NAME}",
            )
        return done.stdout

    @contextmanager
    def port(self, namespace: str, target: str, number: int) -> Iterator[int | None]:
        """Yield a port of this machine that leads to ``target``, e.g. ``pod/redis-0``; None: nothing of it runs.

        Through the kubelet: no network policy is in the way, and the image needs no program for it.
        """
        forward = ("port-forward", "--pod-running-timeout=5s", target, f":{number}")
        command = self.command("-n", namespace, *forward)
        with subprocess.Popen(
            command, env=dict(self.environment), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                line = process.stdout.readline() if process.stdout else ""
                found = re.search(r"127\.0\.0\.1:(\d+)", line)
                yield int(found[1]) if found else None
            finally:
                process.terminate()
