"""What puts Git right after a failed rollout, exactly as stack `wsl` declares it, with this Git server's address."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.config import StackConfig, parse
from infra.delivery.application import manifest as application
from infra.delivery.applications import UPDATES, application_args
from infra.delivery.project import manifest as project
from infra.delivery.projects import projects
from infra.program import deploy
from infra.recorder import record
from infra.stackfile import configuration, placeholder_secrets
from tests.live.wsl.kube import Manifest, apply
from tests.live.wsl.parts import ROLLBACK_IMAGE

STACK = "wsl"
DIFFERENCES = Path(__file__).with_name("differences.yaml")


def wsl(repository: str, username: str, strategy: str = "canary") -> dict[str, Any]:
    """Return the configuration of stack `wsl` as this node can keep it, its Git repository being another one."""
    config = merged(configuration(STACK), yaml.safe_load(DIFFERENCES.read_text()))
    delivery = {"repository": repository, "username": username}
    return merged(config, {"aihub:delivery": delivery, "aihub:chat": {"api": {"rollout": strategy}}})


def merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``target`` with a merge patch: null takes away, objects are merged, all else is replaced."""
    whole = {key: value for key, value in target.items() if patch.get(key, value) is not None or key not in patch}
    for key, value in patch.items():
        if isinstance(value, Mapping):
            whole[key] = merged(whole.get(key) or {}, value)
        elif value is not None:
            whole[key] = value
    return whole


def parsed(config: dict[str, Any]) -> StackConfig:
    """Return a configuration's model."""
    return parse({key.removeprefix("aihub:"): value for key, value in config.items()})


def install(repository: str, username: str, password: str) -> None:
    """Apply the rollback's objects, their login, and the Application of the list of refused tags with its project."""
    config = wsl(repository, username)
    recording = record(deploy, stack=STACK, config=config, secrets=placeholder_secrets())
    found = [
        _with_our_image(dict(each.properties))
        for each in recording.objects()
        if recording.outermost(each).name == "rollback" and each.kind != "Secret"
    ]
    assert {each["kind"] for each in found} >= {"CronJob", "Role", "ConfigMap", "ServiceAccount"}
    secret: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "rollback-git", "namespace": "chat"},
        "stringData": {"username": username, "password": password},
    }
    stack = parsed(config)
    limits = [project(name, args) for name, args in projects(stack, STACK, [UPDATES]).items()]
    apply([secret, *found, *limits, application(UPDATES, application_args(stack, UPDATES, STACK))])


def _with_our_image(each: Manifest) -> Manifest:
    if each["kind"] == "CronJob":
        each = copy.deepcopy(each)
        (container,) = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        container |= {"image": ROLLBACK_IMAGE, "imagePullPolicy": "Never"}
    return each
