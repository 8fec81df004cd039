"""How a store is reached: by shell lines in its own pod, and by a port that leads there."""

import hashlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ops.errors import OpsError
from ops.kubectl import Kubectl

COPY_SECONDS = 4 * 3600
"""How long one dump may take, or one restore."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command left."""

    status: int
    """Its exit status."""
    out: str
    """Its standard output; empty where that went to a file."""
    err: str
    """Its standard error."""


class Reach(Protocol):
    """One server of a store."""

    @property
    def name(self) -> str:
        """What people call it, e.g. ``data/redis-0``."""

    def attempt(self, script: str, stdin: Path | None = None, stdout: Path | None = None) -> Said:
        """Run a shell script where the server is, and return what came of it."""

    def port(self, number: int) -> AbstractContextManager[int]:
        """Yield a port of this machine that leads to the server's."""


def run(reach: Reach, script: str, stdin: Path | None = None) -> str:
    """Run a script that must succeed; return what it printed.

    Raises:
        OpsError: it failed; its last words are in the message.
    """
    said = reach.attempt(script, stdin)
    if said.status:
        raise OpsError(f"{reach.name}: {said.err.strip()[-500:] or f'exit status {said.status}'}", "make verify")
    return said.out


def save(reach: Reach, command: str, path: Path) -> str:
    """Write what a command prints into a file, whole; return what it said besides.

    A stream through the API server that breaks off may look like one that ended. So the sum is made over there, too.

    Raises:
        OpsError: the command failed, or what arrived is not what it printed.
    """
    # fd 3 is the stream here, fd 4 the way to the sum. tee opens fd 4 by its name, which it may: this shell made it.
    # `whole` is how a pipe tells that its left side succeeded.
    copied = f"{{ {{ {command}\n}} && echo whole >&2; }} | tee /dev/fd/4 >&3"
    script = f"{{ {{ {copied}; }} 4>&1 | sha256sum >&2; }} 3>&1"
    said = reach.attempt(script, stdout=path)
    lines = said.err.splitlines()
    if said.status or "whole" not in lines:
        raise OpsError(
            f"{reach.name}: the copy failed: {said.err.strip()[-500:]}", "make verify; then make backup again"
        )
    if f"{digest(path)}  -" not in lines:
        raise OpsError(f"{reach.name}: the copy did not arrive whole", "make backup again")
    return said.err


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A :class:`Reach` of a pod."""

    kubectl: Kubectl
    """How its cluster is reached."""
    namespace: str
    """Where it is."""
    pod: str
    """Its name."""
    container: str
    """The server's container in it."""

    @property
    def name(self) -> str:
        """See :class:`Reach`."""
        return f"{self.namespace}/{self.pod}"

    def attempt(self, script: str, stdin: Path | None = None, stdout: Path | None = None) -> Said:
        """See :class:`Reach`; a script that a broken connection took away has a status other than 0."""
        command = self.kubectl.command("-n", self.namespace, "exec", *(["-i"] if stdin else []), self.pod)
        return attempt_here(
            [*command, "-c", self.container, "--", "sh", "-c", script], self.kubectl.environment, stdin, stdout
        )

    @contextmanager
    def port(self, number: int) -> Iterator[int]:
        """See :class:`Reach`."""
        with self.kubectl.port(self.namespace, f"pod/{self.pod}", number) as port:
            if port is None:
                raise OpsError(f"{self.name}: no way to its port {number}", "make verify")
            yield port


def attempt_here(
    command: Sequence[str], environment: Mapping[str, str], stdin: Path | None, stdout: Path | None
) -> Said:
    """Run a command of this machine, with files as its ends where they are given.

    Raises:
        OpsError: it did not end in time.
    """
    source = stdin.open("rb") if stdin else subprocess.DEVNULL
    target = stdout.open("wb") if stdout else subprocess.PIPE
    try:
        done = subprocess.run(
            list(command), env=dict(environment), stdin=source, stdout=target, stderr=subprocess.PIPE,
            check=False, timeout=COPY_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise OpsError(f"{command[0]} did not end within {COPY_SECONDS // 3600} hours", "make verify") from None
    finally:
        for end in (source, target):
            if not isinstance(end, int):
                end.close()
    out, err = ((each or b"").decode(errors="replace") for each in (done.stdout, done.stderr))
    return Said(status=done.returncode, out=out, err=err)
