"""``make destroy``: take the stack down; its volumes stay unless asked otherwise."""

import json
from collections.abc import Iterable

from ops import access
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.lock import locked
from ops.paths import StackPaths
from ops.preflight import owner
from ops.progress import Progress
from ops.session import Session, resume

OURS = "app.kubernetes.io/part-of=aihub"
CASCADE = "resources-finalizer.argocd.argoproj.io"
"""With it an Application takes what it delivered along, but what says `Delete=false`: volumes and namespaces.

https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/#about-the-deletion-finalizer
"""


def _end_deliveries(session: Session) -> None:
    """Have Argo CD take down what it delivered when its Applications go: nobody else would.

    Not declared so from the start: an Application that is removed or renamed later must not end what runs.

    Raises:
        OpsError: the cluster does not answer.
    """
    exported = json.loads(session.engine.ask("stack", "export"))["deployment"].get("resources") or ()
    for inputs in (each.get("inputs") or {} for each in exported):
        if inputs.get("kind") != "Application" or not str(inputs.get("apiVersion")).startswith("argoproj.io/"):
            continue
        name, patch = inputs["metadata"]["name"], {"metadata": {"finalizers": [CASCADE]}}
        where = ("-n", inputs["metadata"]["namespace"])
        done = session.kubectl.run(
            *where, "patch", "applications.argoproj.io", name, "--type=merge", "-p", json.dumps(patch)
        )
        gone = "NotFound" in done.stderr or "doesn't have a resource type" in done.stderr
        if done.returncode and not gone:
            raise OpsError(f"Application {name} cannot be changed: {done.stderr.strip()[-400:]}", "make verify")


def _kept_volumes(kubectl: Kubectl, namespaces: Iterable[str]) -> list[tuple[str, str]]:
    """Return (namespace, claim) of every volume that outlives the stack."""
    columns = "custom-columns=N:.metadata.namespace,C:.metadata.name"
    told = kubectl.ask("get", "pvc", "--all-namespaces", "-l", OURS, "--no-headers", "-o", columns)
    rows = [line.split() for line in told.splitlines()]
    return [(namespace, claim) for namespace, claim in rows if namespace in namespaces]


def run(paths: StackPaths, delete_volumes: bool) -> int:
    """Destroy the stack; with ``delete_volumes`` also its data, its node and its secrets.

    Raises:
        OpsError: the engine failed, or the cluster does not answer; run it again.
    """
    progress = Progress(f"make destroy STACK={paths.stack}")
    with locked(paths, "destroy"):
        if not paths.state.exists():
            print(f"Nothing of stack {paths.stack} is deployed from this checkout.")
            if delete_volumes:
                _end_beginnings(paths, progress)
            return 0
        if access.of_stack(paths).own_node and _is_node_gone():
            _end_leavings(paths, progress, delete_volumes)
            return 0
        session = resume(paths)
        kubectl = session.kubectl
        _end_deliveries(session)
        with progress.step("pulumi destroy", "until every object is gone"):
            session.engine.run("destroy", "--yes", "--skip-preview", "--exclude-protected")
        others = owner.others(kubectl, paths.stack)
        known = {*session.outputs.get("namespaces", {}).values(), session.outputs.get("aippNamespace", "")} - {""}
        namespaces = (owner.own(kubectl, paths.stack) | known) - others
        if not delete_volumes:
            for namespace, claim in _kept_volumes(kubectl, namespaces):
                print(f"kept: volume {namespace}/{claim}")
            print("The data are kept and the next `make up` takes them over; make destroy VOLUMES=delete removes them.")
            return 0
        with progress.step("Volumes and namespaces", "this removes the data"):
            left = [namespace for namespace in sorted(namespaces) if not _is_deleted(kubectl, namespace)]
    own_node = access.of_stack(paths).own_node and not others
    if left and not own_node:
        raise OpsError(f"not gone yet: {', '.join(left)}", f"make destroy STACK={paths.stack} VOLUMES=delete again")
    if others:
        print(f"kept: the cluster, on which other stacks live (namespaces {', '.join(sorted(others))})")
    if own_node:
        _reset(progress)
    _forget(paths)
    return 0


def _end_beginnings(paths: StackPaths, progress: Progress) -> None:
    """End what a `make up` leaves that did not come as far as Pulumi: secrets, and a node of our own.

    Raises:
        OpsError: the node does not answer, so nobody knows what else is on it.
    """
    began = paths.secrets.exists() and access.of_stack(paths).own_node and access.NODE_KUBECONFIG.parent.exists()
    others: frozenset[str] = frozenset()
    if began and access.NODE_KUBECONFIG.exists():  # else nothing ever ran on it
        try:
            others = owner.others(Kubectl.of(paths), paths.stack)
        except OpsError as error:
            raise OpsError(
                f"the node may carry other stacks, and does not say so: {error.problem}",
                "sudo python3 -m cluster up, then this again; or sudo python3 -m cluster reset, with all on it",
            ) from None
    if others:
        print(f"kept: the cluster, on which other stacks live (namespaces {', '.join(sorted(others))})")
    elif began:
        _reset(progress)
    _forget(paths)


def _is_node_gone() -> bool:
    """Say whether our own node was taken away, by `cluster reset` or with its folder: nothing has its objects."""
    return not access.NODE_KUBECONFIG.exists() and not access.NODE_KUBECONFIG.with_name("etcd").exists()


def _end_leavings(paths: StackPaths, progress: Progress, delete_volumes: bool) -> None:
    """End what is left of a stack whose node is gone: its own files, and what the machine still has of the node."""
    print(f"The node of stack {paths.stack} is gone, and with it all that was on it, its volumes too.")
    if not delete_volumes:
        print(f"kept: its secrets and Pulumi's state in {paths.directory}")
        print("The next `make up` takes them over, on a new and empty node; make destroy VOLUMES=delete removes them.")
        return
    _reset(progress)
    _forget(paths)


def _reset(progress: Progress) -> None:
    """Take our own node away."""
    from cluster import node  # noqa: PLC0415 - only a stack on our own node needs it

    with progress.step("Kubernetes node", "everything it made but the system packages"):
        node.reset(progress.say)


def _forget(paths: StackPaths) -> None:
    """Remove the stack's own files."""
    for path in sorted(paths.directory.rglob("*"), reverse=True):
        path.unlink() if not path.is_dir() else path.rmdir()
    paths.directory.rmdir()
    print(f"Nothing of stack {paths.stack} is left here but build caches:")
    print("  rm -r ~/.cache/aihub; buildah rmi --force $(buildah images -q --filter 'reference=*/aihub/*')")
    print("  buildah rmi --prune")


def _is_deleted(kubectl: Kubectl, namespace: str) -> bool:
    """Delete a namespace with the claims in it, which all were kept; say whether it is gone."""
    done = kubectl.run("delete", "namespace", namespace, "--wait", "--timeout=180s", "--ignore-not-found")
    print(done.stdout + done.stderr, end="", flush=True)
    return done.returncode == 0
