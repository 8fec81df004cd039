"""The Applications that hand the chat to Argo CD."""

import pytest

from infra.config import StackConfig, parse
from infra.delivery.application import Application, manifest
from infra.delivery.applications import PARTS, UPDATES, application_args, applications, part_of
from infra.recorder import record
from tests.infra.support import CONFIGS, config_file, only


def stack_of(name: str) -> StackConfig:
    config = config_file(CONFIGS / "valid" / f"{name}.yaml")
    return parse({key.removeprefix("aihub:"): value for key, value in config.items()})


def test_application_follows_the_overlay_of_its_stack() -> None:
    args = application_args(stack_of("vault-and-argocd"), "backend-chat", "dev")
    application = only(record(lambda: Application("backend-chat", args), stack="dev"), "Application")
    assert application["spec"]["source"] == {
        "repoURL": "https://gitlab.example.com/gitops.git",
        "targetRevision": "main",
        "path": "gitops-apps/apps/backend-chat/k8s/overlays/dev",
    }
    assert application["spec"]["destination"]["namespace"] == "chat"
    assert "ignoreDifferences" not in application["spec"]


@pytest.mark.parametrize(("stack", "by_server"), [("vault-and-argocd", True), ("delivery-of-our-own", False)])
def test_what_the_api_server_fills_in_is_no_difference_where_there_are_external_secrets(
    stack: str, by_server: bool
) -> None:
    application = manifest("backend-chat", application_args(stack_of(stack), "backend-chat", "any"))
    options = application["metadata"].get("annotations", {}).get("argocd.argoproj.io/compare-options", "")
    assert ("ServerSideDiff=true" in options) == by_server


def test_there_is_a_frontend_where_the_page_has_pods_and_updates_where_somebody_makes_them() -> None:
    assert applications(stack_of("vault-and-argocd")) == ("backend-chat",)
    assert applications(stack_of("delivery-of-our-own")) == ("backend-chat", "frontend-chat", UPDATES)


def test_image_updater_patterns_match_their_application_and_no_other() -> None:
    for part in PARTS:
        prefix = part.pattern.removesuffix("*")
        names = [name for name in applications(stack_of("delivery-of-our-own")) if name.startswith(prefix)]
        assert names == [part.application]


def test_every_component_has_one_part() -> None:
    assert (part_of("page"), part_of("api"), part_of("anything")) == ("frontend-chat", "backend-chat", "backend-chat")


def test_updates_go_where_argocd_is() -> None:
    args = application_args(stack_of("delivery-of-our-own"), UPDATES, "wsl")
    assert args.target_namespace == args.namespace == "argocd"


def test_without_a_repository_there_is_nothing_to_follow() -> None:
    with pytest.raises(ValueError, match=r"aihub:delivery\.repository is not set"):
        application_args(stack_of("smallest"), "backend-chat", "local")
