"""The same program written out as the Git tree that Argo CD follows.

Usage: python -m infra.gitops --stack dev --out DIR

``DIR/gitops-apps/apps/chat/k8s/base`` is written anew each time. ``.../overlays/<stack>/kustomization.yaml`` holds the
image versions; it is made once and never touched again, since Image Updater and pipelines own it from then on.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.config import ConfigError, StackConfig, load, parse
from infra.delivery.application import manifest
from infra.delivery.room import CHAT, chat_application
from infra.manifests import RenderError, as_manifest, documents
from infra.program import declare
from infra.recorder import Recorded, Recording, record
from infra.stackfile import configuration, placeholder_secrets
from infra.versions import SERVICE

HEADER = "# Written by `make render`; change the program instead.\n"
OVERLAY_HEADER = "# Made once by `make render` and never touched by it again: image versions are written here.\n"


def render(stack_name: str, directory: Path) -> list[Path]:
    """Write the tree of a stack below ``directory`` and return the files it wrote.

    Raises:
        ConfigError: the stack is unknown or its configuration is wrong.
        RenderError: an object would carry a secret.
    """
    config = configuration(stack_name)
    stack = parse({key.removeprefix("aihub:"): value for key, value in config.items()})
    recording = record(declare_workload, stack=stack_name, config=config, secrets=placeholder_secrets())
    files = tree(stack_name, stack, recording)
    base = directory / stack.delivery.path / "apps/chat/k8s/base"
    written = []
    for name, text in files.items():
        path = directory / name
        if path.exists() and "/overlays/" in name:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(path)
    for stale in {*base.glob("*.yaml")} - {*written}:
        stale.unlink()
    return written


def tree(stack_name: str, stack: StackConfig, recording: Recording) -> dict[str, str]:
    """Return path -> text of every file.

    Raises:
        RenderError: an object would carry a secret.
    """
    apps = f"{stack.delivery.path}/apps/chat/k8s"
    by_component: dict[str, list[Recorded]] = {}
    for resource in workload(stack, recording):
        by_component.setdefault(recording.outermost(resource).name, []).append(resource)
    ours = {f"{stack.registry.host}/{stack.registry.project}/{name}" for name in ("api", "engine")}
    base = {
        f"{component}.yaml": documents([as_manifest(resource, ours) for resource in resources])
        for component, resources in sorted(by_component.items())
    }
    files = {f"{apps}/base/{name}": HEADER + text for name, text in base.items()}
    files[f"{apps}/base/kustomization.yaml"] = HEADER + _kustomization(resources=sorted(base))
    files[f"{apps}/overlays/{stack_name}/kustomization.yaml"] = OVERLAY_HEADER + _kustomization(
        namespace=stack.chat.namespace,
        resources=["../../base"],
        images=[{"name": image, "newTag": SERVICE} for image in sorted(ours)],
    )
    if stack.delivery.repository:
        application = manifest(CHAT, chat_application(stack, stack_name))
        files[f"{stack.delivery.path}/bootstrap/chat.yaml"] = HEADER + documents([application])
    return files


def workload(stack: StackConfig, recording: Recording) -> list[Recorded]:
    """Return the objects that Argo CD owns: the chat's, and the ExternalSecret that its pods read.

    Namespaces, Secrets, network policies and data services are Pulumi's, whoever delivers the chat.
    """
    return [
        resource
        for resource in recording.objects()
        if recording.room_of(resource) == "chat"
        or (resource.kind == "ExternalSecret" and resource.namespace == stack.chat.namespace)
    ]


def declare_workload() -> None:
    """Declare the stack as if Pulumi delivered everything, so that the workload's objects are there to be written."""
    stack, secrets = load()
    chat = stack.chat.model_copy(update={"delivery": "pulumi"})
    declare(stack.model_copy(update={"chat": chat}), secrets)


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
