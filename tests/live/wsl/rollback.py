"""What puts Git right after a failed rollout, exactly as stack `wsl` declares it."""

import copy
from typing import Any

from infra.delivery.application import manifest as application
from infra.delivery.applications import UPDATES, application_args
from infra.delivery.project import manifest as project
from infra.delivery.projects import projects
from infra.delivery.rollback_job import credentials_files
from infra.delivery.room import GIT_SECRET
from infra.program import deploy
from infra.recorder import record
from infra.secrets.files import fill
from infra.stackfile import placeholder_secrets
from tests.live.common.configuration import kept, merged, parsed
from tests.live.common.gitea import STACK, Gitea
from tests.live.common.kube import Manifest, apply
from tests.live.common.parts import ROLLBACK_IMAGE


def wsl(strategy: str = "canary") -> dict[str, Any]:
    """Return the configuration of stack `wsl` as this node can keep it, with a way of rolling out."""
    return merged(kept(STACK), {"aihub:chat": {"api": {"rollout": strategy}}})


def install(gitea: Gitea) -> None:
    """Apply the rollback's objects, their login, and the Application of the list of refused tags with its project."""
    config = wsl()
    recording = record(deploy, stack=STACK, config=config, secrets=placeholder_secrets())
    found = [
        _with_our_image(dict(each.properties))
        for each in recording.objects()
        if recording.outermost(each).name == "rollback" and each.kind != "Secret"
    ]
    assert {each["kind"] for each in found} >= {"CronJob", "Role", "ConfigMap", "ServiceAccount"}
    files = credentials_files(gitea.tree_account)
    secret: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": GIT_SECRET, "namespace": "chat"},
        "stringData": {file: fill(text, gitea.secrets) for file, text in files.items()},
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
