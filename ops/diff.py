"""``make diff``: what a change does to the objects of a stack, fit for a comment under a merge request.

Without a cluster and without credentials: what the base commit declares against what this checkout declares. With
``LIVE=1``: what the cluster has against what this checkout declares; the cluster's own dry run answers, and nothing is
changed.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from ops.differences.objects import Comparison, Declared, compare, markdown, titled
from ops.errors import OpsError
from ops.paths import CHECKOUT, StackPaths

DEFAULT_BASE = "origin/main"
READER = Path(__file__).with_name("differences") / "declared.py"


def declared_by(checkout: Path, stack: str) -> list[Declared]:
    """Return what a checkout declares for a stack; nothing where it has no such stack.

    Raises:
        OpsError: it cannot be read; the message ends in the reason.
    """
    if not (checkout / f"Pulumi.{stack}.yaml").exists():
        return []
    # -P: this checkout's own folder must not come first among the modules of the other.
    command = [sys.executable, "-P", "-W", "ignore", str(READER), stack]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        fix = f"make preview STACK={stack}"
        if checkout != CHECKOUT:
            fix = f"it may need what this checkout has no longer: name a later commit with BASE=, else {fix} there"
        raise OpsError(f"stack {stack} of {checkout} cannot be read: {_reason(done.stderr)}", fix)
    return [
        Declared(
            what=titled(each["content"], each["type"], each["name"]),
            owner=each["owner"],
            content=each["content"],
            retained=each["retained"],
        )
        for each in json.loads(done.stdout)
    ]


def _reason(traceback: str) -> str:
    """Return the message of the error that ended a program: its first line stands at the margin, the rest below it."""
    lines = traceback.strip().splitlines() or ["no reason given"]
    first = max((number for number, line in enumerate(lines) if not line.startswith(" ")), default=0)
    return "\n".join(lines[first:])[-1000:]


def commit_of(base: str) -> str:
    """Return the commit that a branch, tag or hash names.

    Raises:
        OpsError: Git knows no such commit here.
    """
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OpsError(f"Git knows no commit {base!r} here", "git fetch origin, or name another: BASE=main")
    return done.stdout.strip()


def unpacked(commit: str, folder: Path) -> None:
    """Write a commit's files into a folder; unlike `git worktree`, it leaves nothing behind in the repository."""
    with (
        subprocess.Popen(["git", "archive", commit], cwd=CHECKOUT, stdout=subprocess.PIPE) as archive,
        tarfile.open(fileobj=archive.stdout, mode="r|") as tar,
    ):
        tar.extractall(folder, filter="data")


def against_base(stack: str, base: str) -> tuple[str, Comparison]:
    """Compare with a commit, or with a folder that holds a checkout; return (its name, what differs).

    Raises:
        OpsError: there is no such commit, or one side cannot be read.
    """
    if (Path(base) / "Pulumi.yaml").exists():
        return "the base", compare(declared_by(Path(base).resolve(), stack), declared_by(CHECKOUT, stack))
    commit = commit_of(base)
    with tempfile.TemporaryDirectory(prefix="aihub-base-") as folder:
        unpacked(commit, Path(folder))
        before = declared_by(Path(folder), stack)
    return f"{base} ({commit[:12]})", compare(before, declared_by(CHECKOUT, stack))


def run(paths: StackPaths, base: str, live: bool) -> int:
    """Print the difference; 0 whether or not there is one: it is for people.

    Raises:
        OpsError: it cannot be made.
    """
    if live:
        from ops.differences import dry_run  # noqa: PLC0415 - the comparison of commits needs no kubectl
        from ops.kubectl import Kubectl  # noqa: PLC0415 - the same

        print(dry_run.report(Kubectl.of(paths), paths.stack, declared_by(CHECKOUT, paths.stack)), end="")
        return 0
    name, found = against_base(paths.stack, base or DEFAULT_BASE)
    print(markdown(f"Stack {paths.stack}, compared with {name}", found), end="")
    return 0
