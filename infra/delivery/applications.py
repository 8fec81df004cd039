"""What Argo CD delivers: which Applications there are, which folder of the Git tree each follows. Declares nothing."""

from dataclasses import dataclass
from typing import Any

from infra.config import StackConfig
from infra.delivery.application import ApplicationArgs
from infra.delivery.project import project_name
from infra.delivery.rollout import trial_service

ROLLED_OUT = "api"
"""The workload that Argo Rollouts replaces, where the configuration says so."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the chat with an Application of its own."""

    application: str
    """Its name, also that of its folder in the tree."""
    pattern: str
    """Names of the Applications that Image Updater treats like it."""
    components: frozenset[str]
    """Outermost components of the chat that belong to it; empty: all that belong to no other part."""


PARTS = (
    Part(application="backend-chat", pattern="backend*", components=frozenset()),
    Part(application="frontend-chat", pattern="frontend*", components=frozenset({"page"})),
)
UPDATES = "updates-chat"
"""Application of the ImageUpdater. It is one of its own, and no pattern matches it: a refused tag must reach Image
Updater even while the rollout that failed still holds up the backend's sync."""


def part_of(component: str) -> str:
    """Return the Application of a component of the chat."""
    owners = [part.application for part in PARTS if component in part.components]
    return owners[0] if owners else next(part.application for part in PARTS if not part.components)


def applications(stack: StackConfig) -> tuple[str, ...]:
    """Return the names of a stack's Applications, in the order in which they are declared."""
    frontend = ("frontend-chat",) if stack.chat.page else ()
    return ("backend-chat", *frontend, *((UPDATES,) if stack.delivery.image_updater else ()))


def project_of(application: str, stack_name: str) -> str:
    """Return the name of an Application's project; both parts of the chat share one."""
    return project_name(stack_name, "updates" if application == UPDATES else "chat")


def folder(stack: StackConfig, application: str) -> str:
    """Return the folder of an Application in the Git repository."""
    return f"{stack.delivery.path}/apps/{application}/k8s"


def overlay(stack: StackConfig, application: str, stack_name: str) -> str:
    """Return the folder that an Application follows: others write into it, `make render` does not."""
    return f"{folder(stack, application)}/overlays/{stack_name}"


def application_args(stack: StackConfig, application: str, stack_name: str) -> ApplicationArgs:
    """Return what Argo CD is told.

    Raises:
        ValueError: the stack names no repository.
    """
    delivery = stack.delivery
    if not delivery.repository:
        raise ValueError("aihub:delivery.repository is not set: Argo CD needs a Git repository to follow")
    return ApplicationArgs(
        namespace=delivery.namespace,
        project=project_of(application, stack_name),
        repository=delivery.repository,
        branch=delivery.branch,
        path=overlay(stack, application, stack_name),
        target_namespace=delivery.namespace if application == UPDATES else stack.chat.namespace,
        ignored=_turned_services(stack) if application == "backend-chat" else (),
        external_secrets=stack.secrets.vault is not None,
    )


def _turned_services(stack: StackConfig) -> tuple[dict[str, Any], ...]:
    """Return the Services whose selector the controller of a rollout turns to the pods that it means."""
    names = {
        "rolling": (),
        "canary": (trial_service(ROLLED_OUT),),
        "blueGreen": (ROLLED_OUT, trial_service(ROLLED_OUT)),
    }[stack.chat.api.rollout]
    return tuple({"kind": "Service", "name": name, "jsonPointers": ["/spec/selector"]} for name in names)
