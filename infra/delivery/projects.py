"""What Git may deploy of the chat, and of what watches for its images. Declares nothing; see docs/decisions/1007.

`tests/infra/delivery/test_projects.py` compares the kinds with those that `make render` writes.
"""

from collections.abc import Callable, Iterable

from infra.config import StackConfig
from infra.delivery.applications import UPDATES, project_of
from infra.delivery.project import Kind, ProjectArgs


def _always(_: StackConfig) -> bool:
    return True


def _is_rolled_out(stack: StackConfig) -> bool:
    return stack.chat.api.rollout != "rolling"


def _is_doubled(stack: StackConfig) -> bool:
    page = stack.chat.page
    return stack.chat.api.replicas > 1 or bool(page and page.replicas > 1)


def _has_models(stack: StackConfig) -> bool:
    return bool(stack.chat.models)


CHAT_KINDS: tuple[tuple[Kind, Callable[[StackConfig], bool]], ...] = (
    (("", "ConfigMap"), _always),
    (("", "Service"), _always),
    (("", "ServiceAccount"), _always),
    (("apps", "Deployment"), _always),
    (("argoproj.io", "AnalysisTemplate"), _is_rolled_out),
    (("argoproj.io", "Rollout"), _is_rolled_out),
    (("batch", "CronJob"), _has_models),
    (("batch", "Job"), _has_models),
    (("", "PersistentVolumeClaim"), _has_models),
    (("external-secrets.io", "ExternalSecret"), lambda stack: bool(stack.secrets.vault)),
    (("networking.k8s.io", "Ingress"), lambda stack: bool(stack.chat.exposure.host)),
    (("policy", "PodDisruptionBudget"), _is_doubled),
)
"""Kind -> whether a stack's tree has it."""


def projects(stack: StackConfig, stack_name: str, applications: Iterable[str]) -> dict[str, ProjectArgs]:
    """Return name -> project, for the Applications of the chat.

    What Image Updater looks for has a project of its own: it stands in Argo CD's own namespace, where a Deployment out
    of Git could take the account that may do everything.

    Raises:
        ValueError: the stack names no repository.
    """
    delivery = stack.delivery
    if not delivery.repository:
        raise ValueError("aihub:delivery.repository is not set: Argo CD needs a Git repository to follow")
    known = {
        project_of("backend-chat", stack_name): ProjectArgs(
            namespace=delivery.namespace,
            description="The chat: api, engine, page, models",
            repository=delivery.repository,
            target_namespace=stack.chat.namespace,
            kinds=[kind for kind, is_there in CHAT_KINDS if is_there(stack)],
        ),
        project_of(UPDATES, stack_name): ProjectArgs(
            namespace=delivery.namespace,
            description="What Image Updater looks for",
            repository=delivery.repository,
            target_namespace=delivery.namespace,
            kinds=[("argocd-image-updater.argoproj.io", "ImageUpdater")],
        ),
    }
    wanted = dict.fromkeys(project_of(application, stack_name) for application in applications)
    return {name: known[name] for name in wanted}
