"""The tree of the eight services, as `make render STACK=dev` writes it, without what this node cannot keep."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.config import StackConfig
from infra.gitops import declare_workload, tree
from infra.program import deploy
from infra.recorder import record
from infra.stackfile import configuration, placeholder_secrets
from tests.live.common.configuration import RUNS, merged, parsed

STACK = "dev"
DIFFERENCES = RUNS / STACK / "differences.yaml"
SECTIONS = ("secrets", "chat", "delivery", "aipp")
"""What the services are made from. Storage, network and registry are this node's; the rooms of Harbor and of the
company's monitoring are left out."""
SERVICES = "apps/aipp/"


def config(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the configuration of stack `dev` as this node can keep it, with further ``changes`` of section `aipp`."""
    whole = configuration(STACK)
    kept = {f"aihub:{name}": whole[f"aihub:{name}"] for name in SECTIONS if f"aihub:{name}" in whole}
    patched = merged(kept, yaml.safe_load(DIFFERENCES.read_text()))
    return merged(patched, {"aihub:aipp": changes or {}})


def model(changes: Mapping[str, Any] | None = None) -> StackConfig:
    """Return the same as the program sees it."""
    return parsed(config(changes))


def files(changes: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return path -> text of the services' part of the tree."""
    recording = record(declare_workload, stack=STACK, config=config(changes), secrets=placeholder_secrets())
    found = tree(STACK, model(changes), recording)
    return {path: text for path, text in found.items() if SERVICES in path}


def declared() -> list[dict[str, Any]]:
    """Return what Pulumi declares for Argo CD: the project that limits the services, and their Application."""
    recording = record(deploy, stack=STACK, config=config(), secrets=placeholder_secrets())
    (application,) = (each for each in recording.objects() if (each.kind, each.object_name) == ("Application", "aipp"))
    project = application.properties["spec"]["project"]
    limits = [each for each in recording.objects() if (each.kind, each.object_name) == ("AppProject", project)]
    return [each.properties for each in (*limits, application)]


def write(folder: Path, changes: Mapping[str, Any] | None = None) -> None:
    """Write the tree into a working copy, in place of the one that is there."""
    for old in folder.glob("gitops-apps/apps/aipp/k8s/base"):
        shutil.rmtree(old)
    for path, text in files(changes).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
