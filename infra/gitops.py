"""The same program written out as the Git tree that Argo CD follows.

Usage: python -m infra.gitops --stack dev --out DIR

``DIR/gitops-apps/apps/<application>/k8s/base`` is written anew each time. ``.../overlays/<stack>`` holds what others
write: image versions, refused tags. It is made once and never touched again.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

import infra.aipp.project
import infra.aipp.tree
from infra.config import ConfigError, StackConfig, load
from infra.delivery.application import manifest as application
from infra.delivery.applications import UPDATES, application_args, applications, folder, overlay, part_of
from infra.delivery.image_updater import manifest as image_updater
from infra.delivery.image_updater import refused
from infra.delivery.project import manifest as project
from infra.delivery.projects import projects
from infra.delivery.room import GIT_SECRET, REFUSED_FILE
from infra.manifests import RenderError, as_manifest, documents, images_in
from infra.program import declare
from infra.recorder import Recorded, Recording
from infra.stackfile import record_stack, stack_of
from infra.storage.sizes import shrunk

HEADER = "# Written by `make render`; change the program instead.\n"
OVERLAY_HEADER = "# Made once by `make render` and never touched by it again: image versions are written here.\n"
REFUSED_HEADER = (
    "# Made once by `make render` and never touched by it again: tags whose rollout failed are added here.\n"
    "# Image Updater never takes them; remove a line to give a tag another chance.\n"
)


def render(stack_name: str, directory: Path) -> list[Path]:
    """Write the tree of a stack below ``directory`` and return the files it wrote.

    Raises:
        ConfigError: the stack is unknown or its configuration is wrong.
        RenderError: an object would carry a secret, or a volume would become smaller than the tree has it.
    """
    stack = stack_of(stack_name)
    recording = record_stack(declare_workload, stack_name)
    files = tree(stack_name, stack, recording)
    if problems := shrunk(directory, files):
        raise RenderError("\n".join(problems))
    written = []
    for name, text in files.items():
        path = directory / name
        if path.exists() and "/overlays/" in name:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(path)
    for base in {(directory / name).parent for name in files if "/base/" in name}:
        for stale in {*base.glob("*.yaml")} - {*written}:
            stale.unlink()
    return written


def tree(stack_name: str, stack: StackConfig, recording: Recording) -> dict[str, str]:
    """Return path -> text of every file.

    Raises:
        RenderError: an object would carry a secret.
    """
    parts: dict[str, dict[str, list[Recorded]]] = {name: {} for name in applications(stack) if name != UPDATES}
    for resource in workload(stack, recording):
        component = recording.outermost(resource).name
        parts[part_of(component)].setdefault(component, []).append(resource)
    files: dict[str, str] = {}
    images: dict[str, list[str]] = {}
    for name, components in parts.items():
        tags = first_tags(stack, (each for resources in components.values() for each in resources))
        images[name] = sorted(tags)
        base = {
            f"{component}.yaml": documents([as_manifest(resource, tags) for resource in resources])
            for component, resources in sorted(components.items())
        }
        files |= _folder(folder(stack, name), base)
        files[f"{overlay(stack, name, stack_name)}/kustomization.yaml"] = OVERLAY_HEADER + _kustomization(
            namespace=stack.chat.namespace,
            resources=["../../base"],
            images=[{"name": image, "newTag": tag} for image, tag in sorted(tags.items())],
        )
    if stack.delivery.image_updater:
        files |= _updates(stack, stack_name, images)
    if stack.aipp:
        files |= _services(stack, stack_name, recording)
    for manifest in bootstrap(stack, stack_name):
        files[f"{stack.delivery.path}/bootstrap/{manifest['metadata']['name']}.yaml"] = HEADER + documents([manifest])
    return files


def bootstrap(stack: StackConfig, stack_name: str) -> Iterator[dict[str, Any]]:
    """Yield what Argo CD is told: the projects and the Applications; nothing without a repository."""
    if not stack.delivery.repository:
        return
    names = applications(stack)
    limits = projects(stack, stack_name, names)
    told = {name: application_args(stack, name, stack_name) for name in names}
    if stack.aipp:
        limits[infra.aipp.project.project(stack_name)] = infra.aipp.project.project_args(stack)
        told[infra.aipp.tree.APPLICATION] = infra.aipp.tree.application_args(stack, stack_name)
    yield from (project(name, args) for name, args in limits.items())
    yield from (application(name, args) for name, args in told.items())


def _folder(where: str, base: Mapping[str, str]) -> dict[str, str]:
    """Return the files of an Application's base, with the list of them."""
    listed = {**base, "kustomization.yaml": _kustomization(resources=sorted(base))}
    return {f"{where}/base/{name}": HEADER + text for name, text in listed.items()}


def _services(stack: StackConfig, stack_name: str, recording: Recording) -> dict[str, str]:
    """Return the files of the vendor's services; their versions are the stack file's, so the overlay names none."""
    where = infra.aipp.tree.folder(stack)
    overlay_text = OVERLAY_HEADER + _kustomization(resources=["../../base"])
    base = _folder(where, infra.aipp.tree.base(stack, stack_name, recording))
    return {**base, f"{where}/overlays/{stack_name}/kustomization.yaml": overlay_text}


def _updates(stack: StackConfig, stack_name: str, images: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the files of what Image Updater looks for."""
    looked_for = documents([image_updater(stack, stack_name, images)])
    followed = overlay(stack, UPDATES, stack_name)
    kustomization = _kustomization(resources=["../../base"], patches=[{"path": REFUSED_FILE}])
    return {
        **_folder(folder(stack, UPDATES), {"image-updater.yaml": looked_for}),
        f"{followed}/kustomization.yaml": OVERLAY_HEADER + kustomization,
        f"{followed}/{REFUSED_FILE}": REFUSED_HEADER + refused(stack),
    }


def first_tags(stack: StackConfig, resources: Iterable[Recorded]) -> dict[str, str]:
    """Return image of ours -> the tag under which Pulumi pushed it, for every image that the resources run."""
    ours = f"{stack.registry.host}/{stack.registry.project}/"
    references = {image for resource in resources for image in images_in(resource.properties) if image.startswith(ours)}
    names = (reference.partition("@")[0].rpartition(":") for reference in references)
    return {name: tag for name, _, tag in names}


def workload(stack: StackConfig, recording: Recording) -> list[Recorded]:
    """Return the objects that Argo CD owns: the chat's, and the ExternalSecrets that its pods read.

    Namespaces, Secrets, network policies and data services are Pulumi's, whoever delivers the chat; so is what undoes a
    failed rollout, which must go on while a delivery fails.
    """
    return [
        resource
        for resource in recording.objects()
        if recording.room_of(resource) == "chat"
        or (
            resource.kind == "ExternalSecret"
            and resource.namespace == stack.chat.namespace
            and resource.object_name != GIT_SECRET
        )
    ]


def declare_workload() -> None:
    """Declare the stack as if Pulumi delivered everything, so that the workload's objects are there to be written."""
    stack, secrets = load()
    by_pulumi: dict[str, Any] = {"chat": stack.chat.model_copy(update={"delivery": "pulumi"})}
    if stack.aipp:
        by_pulumi["aipp"] = stack.aipp.model_copy(update={"delivery": "pulumi"})
    declare(stack.model_copy(update=by_pulumi), secrets)


def _kustomization(**fields: Any) -> str:
    whole: Mapping[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **fields}
    return yaml.safe_dump(whole, sort_keys=False)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.gitops", description="Write a stack as a Git tree.")
    parser.add_argument("--stack", required=True, help="local, wsl or dev")
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    options = parser.parse_args(arguments)
    try:
        written = render(options.stack, options.out)
    except (ConfigError, RenderError) as error:
        print(error, file=sys.stderr)
        return 2
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
