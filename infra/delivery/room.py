"""Which folder of the Git repository each delivered room is."""

from infra.config import StackConfig
from infra.delivery.application import ApplicationArgs

CHAT = "backend-chat"
"""Application of the chat: its api and its engine."""


def chat_application(stack: StackConfig, stack_name: str) -> ApplicationArgs:
    """Return how Argo CD delivers the chat.

    Raises:
        ValueError: the stack names no repository.
    """
    delivery = stack.delivery
    if not delivery.repository:
        raise ValueError("aihub:delivery.repository is not set: Argo CD needs a Git repository to follow")
    return ApplicationArgs(
        namespace=delivery.namespace,
        repository=delivery.repository,
        branch=delivery.branch,
        path=f"{delivery.path}/apps/chat/k8s/overlays/{stack_name}",
        target_namespace=stack.chat.namespace,
    )
