"""What tests of components and configurations share."""

from pathlib import Path
from typing import Any

import yaml

from infra.config import SECRET_KEYS
from infra.recorder import Recorded, Recording

CONFIGS = Path(__file__).with_name("configs")
CANARIES = {f"aihub:{key}": f"canary-of-{key}" for key in SECRET_KEYS}
"""Secret values that must appear nowhere."""


def config_file(path: Path) -> dict[str, Any]:
    """Return configuration key -> value of a file."""
    return dict(yaml.safe_load(path.read_text()))


def only(recording: Recording, kind: str) -> dict[str, Any]:
    """Return the manifest of the one object of a kind."""
    (found,) = (resource for resource in recording.objects() if resource.kind == kind)
    return found.properties


def of_kind(recording: Recording, kind: str) -> list[Recorded]:
    """Return the objects of a kind."""
    return [resource for resource in recording.objects() if resource.kind == kind]


def pod_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the pod spec of a Deployment, StatefulSet or Job."""
    return dict(manifest["spec"]["template"]["spec"])


def container_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the one container of such an object."""
    (container,) = pod_of(manifest)["containers"]
    return dict(container)
