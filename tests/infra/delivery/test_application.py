"""The Application that hands the chat to Argo CD."""

import pytest

from infra.config import parse
from infra.delivery.application import Application
from infra.delivery.room import CHAT, chat_application
from infra.recorder import record
from tests.infra.support import CONFIGS, config_file, only


def test_application_follows_the_overlay_of_its_stack() -> None:
    config = config_file(CONFIGS / "valid" / "vault-and-argocd.yaml")
    stack = parse({key.removeprefix("aihub:"): value for key, value in config.items()})
    application = only(record(lambda: Application(CHAT, chat_application(stack, "dev")), stack="dev"), "Application")
    assert application["metadata"]["name"].startswith("backend")
    assert application["spec"]["source"] == {
        "repoURL": "https://gitlab.example.com/gitops.git",
        "targetRevision": "main",
        "path": "gitops-apps/apps/chat/k8s/overlays/dev",
    }
    assert application["spec"]["destination"]["namespace"] == "chat"


def test_without_a_repository_there_is_nothing_to_follow() -> None:
    config = config_file(CONFIGS / "valid" / "smallest.yaml")
    stack = parse({key.removeprefix("aihub:"): value for key, value in config.items()})
    with pytest.raises(ValueError, match=r"aihub:delivery\.repository is not set"):
        chat_application(stack, "local")
