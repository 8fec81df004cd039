"""``make destroy``: take the stack down; its volumes stay unless asked otherwise."""

import subprocess

from ops import access
from ops.lock import locked
from ops.paths import StackPaths
from ops.preflight import owner
from ops.progress import Progress
from ops.session import Session, resume

OURS = "app.kubernetes.io/part-of=aihub"


def _kept_volumes(session: Session, others: frozenset[str]) -> list[tuple[str, str]]:
    """Return (namespace, claim) of every volume that outlives the stack, but not in namespaces of other stacks."""
    command = [str(access.kubectl()), "get", "pvc", "--all-namespaces", "-l", OURS, "--no-headers"]
    command += ["-o", "custom-columns=N:.metadata.namespace,C:.metadata.name"]
    done = subprocess.run(command, env=session.engine.environment(), capture_output=True, text=True, check=False)
    rows = [line.split() for line in done.stdout.splitlines()]
    return [(namespace, claim) for namespace, claim in rows if namespace not in others]


def run(paths: StackPaths, delete_volumes: bool) -> int:
    """Destroy the stack; with ``delete_volumes`` also its data, its node and its secrets.

    Raises:
        OpsError: the engine failed; run it again.
    """
    progress = Progress(f"make destroy STACK={paths.stack}")
    with locked(paths, "destroy"):
        session = resume(paths)
        with progress.step("pulumi destroy", "until every object is gone"):
            session.engine.run("destroy", "--yes", "--skip-preview", "--exclude-protected")
        others = owner.others(access.kubectl(), session.engine.environment(), paths.stack)
        kept = _kept_volumes(session, others)
        if not delete_volumes:
            for namespace, claim in kept:
                print(f"kept: volume {namespace}/{claim}")
            print("The data are kept and the next `make up` takes them over; make destroy VOLUMES=delete removes them.")
            return 0
        with progress.step("Volumes and namespaces", "this removes the data"):
            _delete(session, kept)
    if others:
        print(f"kept: the cluster, on which other stacks live (namespaces {', '.join(sorted(others))})")
    elif access.of_stack(paths).own_node:
        from cluster import node  # noqa: PLC0415 - only a stack on our own node needs it

        with progress.step("Kubernetes node", "everything it made but the system packages"):
            node.reset(progress.say)
    for path in sorted(paths.directory.rglob("*"), reverse=True):
        path.unlink() if not path.is_dir() else path.rmdir()
    paths.directory.rmdir()
    print(f"Nothing of stack {paths.stack} is left here but build caches:")
    print("  rm -r ~/.cache/aihub and buildah rmi --all remove them.")
    return 0


def _delete(session: Session, claims: list[tuple[str, str]]) -> None:
    """Delete the kept claims and every namespace of the stack, which all were kept; wait until they are gone."""
    for namespace in sorted({*(namespace for namespace, _ in claims), *session.outputs.get("namespaces", {}).values()}):
        command = [
            str(access.kubectl()),
            "delete",
            "namespace",
            namespace,
            "--wait",
            "--timeout=180s",
            "--ignore-not-found",
        ]
        subprocess.run(command, env=session.engine.environment(), check=False)
