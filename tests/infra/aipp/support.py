"""What the tests of the services share."""

from collections.abc import Mapping
from typing import Any

from infra.config import parse
from infra.config.aipp import AippConfig
from infra.gitops import declare_workload
from infra.recorder import Recorded, Recording, record
from policy.pods import pod_spec
from tests.infra.support import CANARIES, CONFIGS, config_file


def with_changes(config: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration in which the fields at dotted paths, e.g. ``aipp.linker.card``, are others."""
    for path, value in changes.items():
        *parents, last = path.split(".")
        section = config
        for number, parent in enumerate(parents):
            section = section.setdefault(parent if number else f"aihub:{parent}", {})
        section[last] = value
    return config


def configured(name: str = "aipp-from-vault", changes: Mapping[str, Any] | None = None) -> AippConfig:
    config = with_changes(config_file(CONFIGS / "valid" / f"{name}.yaml"), changes or {})
    aipp = parse(config).aipp
    assert aipp
    return aipp


def declared(name: str = "aipp-from-vault", changes: Mapping[str, Any] | None = None, run: Any = None) -> Recording:
    """Return what a valid configuration declares, delivered by Pulumi."""
    config = with_changes(config_file(CONFIGS / "valid" / f"{name}.yaml"), changes or {})
    return record(run or declare_workload, stack="test", config=config, secrets=CANARIES)


def of_package(recording: Recording) -> list[Recorded]:
    """Return the objects in the services' namespace."""
    return [each for each in recording.objects() if each.namespace == "aipp"]


def workload(recording: Recording, name: str) -> dict[str, Any]:
    """Return the Deployment or StatefulSet of a service."""
    (found,) = (
        each.properties
        for each in of_package(recording)
        if each.object_name == name and each.kind in {"Deployment", "StatefulSet"}
    )
    return found


def spec_of(recording: Recording, name: str) -> dict[str, Any]:
    """Return the pod spec of a service."""
    return dict(pod_spec(workload(recording, name)) or {})


def environment(recording: Recording, name: str) -> dict[str, str]:
    """Return the variables that a service gets from its ConfigMap."""
    (source,) = spec_of(recording, name)["containers"][0]["envFrom"]
    (found,) = (
        each.properties["data"]
        for each in of_package(recording)
        if each.kind == "ConfigMap" and each.object_name == source["configMapRef"]["name"]
    )
    return dict(found)
