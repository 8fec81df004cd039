"""The real programs of the chain: their images, and the manifests that start them.

Charts cannot be had everywhere, and their images neither: what a chart installs on a real cluster is installed here
from the manifests that the programs' own Go modules carry, with images built from those modules.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import yaml

from cluster.containers import Containers
from cluster.images import SOURCES, NodeImage, make
from cluster.settings import Node
from infra.versions import GIT
from tests.live.common.kube import Manifest, apply, get, until
from toolchain.cache import folder
from toolchain.ensure import Say
from toolchain.tools import ARGOCD, BUILDKIT, GITEA, ROLLOUTS, Tool

ARGOCD_IMAGE = f"localhost/aihub/argocd:{ARGOCD.version}"
ROLLOUTS_IMAGE = f"localhost/aihub/rollouts:{ROLLOUTS.version}"
GITEA_IMAGE = f"localhost/aihub/gitea:{GITEA.version}"
BUILDKIT_IMAGE = f"localhost/aihub/buildkit:{BUILDKIT.version}"
REDIS_IMAGE = "localhost/aihub/redis:7.0"
ROLLBACK_IMAGE = f"localhost/aihub/rollback:{GIT}"


def _image(reference: str, tool: Tool, names: tuple[str, ...], on_base: bool = True) -> NodeImage:
    place = folder(tool) / "bin"
    return NodeImage(
        reference=reference,
        recipe=SOURCES / tool.name,
        context=place,
        copied=tuple(place / name for name in names),
        on_base=on_base,
    )


def images() -> tuple[NodeImage, ...]:
    """Return the images; their tools must have been made."""
    redis, rollback = SOURCES / "redis", SOURCES / "rollback"
    return (
        _image(ARGOCD_IMAGE, ARGOCD, ("cmd", "kustomize", "git-ask-pass.sh")),
        _image(ROLLOUTS_IMAGE, ROLLOUTS, ("rollouts-controller",), on_base=False),
        _image(GITEA_IMAGE, GITEA, ("gitea", "options.tar", "templates.tar", "public.tar")),
        _image(BUILDKIT_IMAGE, BUILDKIT, ("buildkitd", "buildctl", "rootlesskit", "buildctl-daemonless.sh")),
        NodeImage(reference=REDIS_IMAGE, recipe=redis, context=redis, copied=(), on_base=True),
        NodeImage(reference=ROLLBACK_IMAGE, recipe=rollback, context=rollback, copied=(), on_base=True),
    )


def import_images(node: Node, say: Say) -> None:
    """Build the images and give them to the node's containerd."""
    for image in images():
        archive = make(image, node, say)
        mark = node.state / "images" / f"live-{image.recipe.name}"
        if not mark.exists() or mark.read_text() != archive.name:
            Containers(node).import_image(archive)
            mark.write_text(archive.name)


def _manifests(path: Path, namespace: str, image: str) -> list[Manifest]:
    """Return a module's own manifests, in a namespace, with our images."""
    found: list[Manifest] = [each for each in yaml.safe_load_all(path.read_text()) if each]
    for each in found:
        metadata = each["metadata"]
        if each["kind"] not in ("CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"):
            metadata["namespace"] = namespace
        pod = each.get("spec", {}).get("template", {}).get("spec")
        for container in [*pod.get("initContainers", []), *pod["containers"]] if isinstance(pod, dict) else []:
            container["image"] = REDIS_IMAGE if container["name"] == "redis" else image
            container["imagePullPolicy"] = "Never"
            # One word of its own each: our image has no script that would split them.
            if container["name"] == "redis":
                container["args"] = [word for text in container["args"] for word in (text.split() or [""])]
    return found


def _namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _is_known(definition: str) -> bool:
    """Say whether objects of a definition may be applied: the API server takes it before it serves it."""
    found = get("customresourcedefinition", definition, "default") or {}
    conditions = found.get("status", {}).get("conditions") or ()
    return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)


def install_argocd(settings: Mapping[str, str], poll_seconds: int) -> None:
    """Start Argo CD's core: the controller, the repository server, their Redis; no page, so no login.

    Args:
        settings: what its own Secret holds.
        poll_seconds: how often it looks at Git by itself.
    """
    found = _manifests(folder(ARGOCD) / "bin" / "core-install.yaml", "argocd", ARGOCD_IMAGE)
    kept = [each for each in found if "applicationset-controller" not in each["metadata"]["name"]]
    for each in kept:
        if each["metadata"]["name"] == "argocd-cm":
            each["data"] = {"timeout.reconciliation": f"{poll_seconds}s", "timeout.reconciliation.jitter": "0s"}
        if each["metadata"]["name"] == "applications.argoproj.io":
            retry = each["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
            for name in ("spec", "syncPolicy", "retry"):
                retry = retry["properties"][name]
            # Declared for Argo CD 3, which stack `wsl` runs; 2.14 takes it and does not act on it.
            retry["properties"].setdefault("refresh", {"type": "boolean"})
        if each["kind"] == "Secret" and each["metadata"]["name"] == "argocd-secret":
            each["stringData"] = dict(settings)
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": "argocd"},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }
    definitions = [each for each in kept if each["kind"] == "CustomResourceDefinition"]
    apply([_namespace("argocd"), *definitions])
    for each in definitions:
        name = str(each["metadata"]["name"])
        until(f"the API server serves {name}", partial(_is_known, name), 120)
    apply([*(each for each in kept if each["kind"] != "CustomResourceDefinition")])
    apply([project])


def define_image_updater() -> None:
    """Make the ImageUpdater known to the API server; its own definition comes with a chart, this one takes anything."""
    group = "argocd-image-updater.argoproj.io"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "ImageUpdater", "plural": "imageupdaters", "singular": "imageupdater"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"imageupdaters.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    apply([definition])


def install_rollouts() -> None:
    """Start Argo Rollouts' controller; without a traffic router a canary's share is its share of the pods."""
    found = _manifests(folder(ROLLOUTS) / "bin" / "install.yaml", "argo-rollouts", ROLLOUTS_IMAGE)
    apply([_namespace("argo-rollouts"), *found])
