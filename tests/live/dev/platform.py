"""Everything that the eight services need around them: node, registry, Git server, Argo CD, two stand-in operators."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster import node
from cluster.containers import NAMESPACE as CONTAINERD_NAMESPACE
from cluster.settings import load
from infra.program import deploy
from infra.recorder import record
from infra.stackfile import configuration, placeholder_secrets
from tests.live.common import parts
from tests.live.common.gitea import Gitea
from tests.live.common.kube import Manifest, apply, kubectl, listed, rolled_out, until
from tests.live.common.repository import Repository
from tests.live.dev import images, operators, tree
from tests.live.dev.operators import Operators
from toolchain.ensure import ensure_all
from toolchain.tools import ARGOCD, GITEA

GPU = "nvidia.com/gpu"
POLL_SECONDS = 10
"""How often Argo CD looks at Git: nothing tells it of a push here."""


@dataclass
class Platform:
    """The running cluster."""

    manifests: Repository
    """The tree that Argo CD follows."""
    operators: Operators


def say(line: str) -> None:
    """Tell the person."""
    print(line, file=sys.stderr, flush=True)


def bring_up(folder: Path) -> Platform:
    """Bring all of it up but the services; ``folder`` takes the working copy and the stand-ins' build."""
    ensure_all((ARGOCD, GITEA), say)
    node.up(say)
    images.import_images(load(), say)
    parts.install_argocd({"server.secretkey": secrets.token_urlsafe(32)}, POLL_SECONDS)
    _know_named_namespaces()
    apply([operators.definition(), _runtime_class()])
    _start_registry()
    images.push(folder / "vendor", say)
    offer_gpus(1)
    gitea = Gitea()
    gitea.start()
    manifests = Repository(gitea, gitea.tree, folder / "gitops")
    manifests.make()
    (manifests.folder / "README.md").write_text("What Argo CD follows.\n")
    manifests.commit_and_push("Begin")
    apply([gitea.argocd_login()])
    for kind, name in (("deployment", "argocd-repo-server"), ("statefulset", "argocd-application-controller")):
        rolled_out(kind, name, "argocd", 240)
    apply(tree.declared())
    return Platform(manifests=manifests, operators=Operators())


def _start_registry() -> None:
    """Start the registry of stack `local`."""
    config = configuration("local")
    recording = record(deploy, stack="local", config=config, secrets=placeholder_secrets())
    found = [
        dict(each.properties)
        for each in recording.objects()
        if recording.room_of(each) == "registry" or (each.kind, each.object_name) == ("Namespace", "registry")
    ]
    apply(sorted(found, key=lambda each: each["kind"] != "Namespace"))
    rolled_out("statefulset", "registry", "registry", 180)


def _know_named_namespaces() -> None:
    """Have the API server take a project that names its one Namespace: Argo CD 3 knows the field, 2.14 does not ask."""
    where = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/clusterResourceWhitelist/items"
    patch = [{"op": "add", "path": f"{where}/properties/name", "value": {"type": "string"}}]
    kubectl("patch", "crd", "appprojects.argoproj.io", "--type=json", "--patch", json.dumps(patch))


def _runtime_class() -> Manifest:
    """Return the RuntimeClass of the linker; without a card it is the ordinary runtime."""
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "nvidia"}, "handler": "runc"}


def offer_gpus(count: int) -> None:
    """Have the node offer GPUs as a device plugin would; there is no card, and nothing uses one."""
    (found,) = listed("nodes", "default")
    patch = {"status": {"capacity": {GPU: str(count)}, "allocatable": {GPU: str(count)}}}
    name = found["metadata"]["name"]
    kubectl("patch", "node", name, "--subresource=status", "--type=merge", "--patch", json.dumps(patch))

    def offered() -> bool:
        (node_now,) = listed("nodes", "default")
        return int(node_now["status"]["allocatable"].get(GPU, 0)) == count

    until(f"the node offers {count} GPUs", offered, 60)


@contextmanager
def registry_away() -> Iterator[None]:
    """Have no registry for so long."""
    scale = ["scale", "statefulset/registry", "--namespace", "registry"]
    kubectl(*scale, "--replicas=0")
    until("the registry's pod is gone", lambda: not listed("pods", "registry", "app.kubernetes.io/name=registry"), 120)
    try:
        yield
    finally:
        kubectl(*scale, "--replicas=1")
        rolled_out("statefulset", "registry", "registry", 120)


def kill_container(pod: Manifest, name: str) -> None:
    """Kill a container's first process as the kernel would; its pod stays."""
    (status,) = (each for each in pod["status"]["containerStatuses"] if each["name"] == name)
    number, here = status["containerID"].rpartition("/")[2], load()
    command = ["ctr", "--address", str(here.containerd_socket), "--namespace", CONTAINERD_NAMESPACE]
    subprocess.run([*command, "tasks", "kill", "--signal", "SIGKILL", number], check=True, timeout=60)


@contextmanager
def without_healing() -> Iterator[None]:
    """Have Argo CD leave for so long what is changed by hand."""

    def heal(on: bool) -> None:
        patch = {"spec": {"syncPolicy": {"automated": {"prune": True, "selfHeal": True} if on else None}}}
        what = ["patch", "application.argoproj.io", "aipp", "--namespace", "argocd", "--type=merge"]
        kubectl(*what, "--patch", json.dumps(patch))

    heal(False)
    try:
        yield
    finally:
        heal(True)
