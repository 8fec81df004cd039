"""Webhook addresses: derived once, with Jenkins' own port and path, and no secret in them."""

import json
from urllib.parse import urlsplit

import pytest

from infra.ci.webhook import argocd_webhook, names_itself, webhooks
from infra.config.load import parse
from infra.program import plan
from infra.stackfile import CHECKOUT, configuration
from tests.infra.ci.support import files_of_secrets, recorded, stack_of
from tests.infra.support import CANARIES, of_kind

TABLE = [
    ("gitea", ["http://jenkins.ci.svc:8080/generic-webhook-trigger/invoke?token=aihub"], 403),
    (
        "gitlab",
        [
            "http://jenkins.example.com:31302/project/aihub/service",
            "http://jenkins.example.com:31302/project/aihub/web",
            "http://jenkins.example.com:31302/project/reviews/infra",
        ],
        401,
    ),
]


ARGOCD = {
    "gitea": "http://argocd-server.argocd.svc/api/webhook",
    "gitlab": "http://argocd.example.com:31302/api/webhook",
}


@pytest.mark.parametrize(("name", "urls", "refusal"), TABLE)
def test_addresses_and_what_a_wrong_secret_is_answered(name: str, urls: list[str], refusal: int) -> None:
    calls = webhooks(stack_of(name))
    assert [call.url for call in calls] == urls
    assert {call.refusal for call in calls} == {refusal}
    assert refusal in (401, 403)


def test_gitlab_hooks_call_these_addresses_with_the_secret_in_a_header() -> None:
    hooks = [each for each in recorded("gitlab").resources if each.type.endswith(":ProjectHook")]
    hooks = [hook for hook in hooks if hook.properties["project"] == "platform/aihub"]
    assert [hook.properties["url"] for hook in hooks] == TABLE[1][1]
    assert {hook.properties["token"] for hook in hooks} == {"[secret]"}
    pushes = {hook.properties["url"].rpartition("/")[2]: hook.properties["pushEvents"] for hook in hooks}
    assert pushes == {"service": True, "web": True, "infra": False}
    assert {hook.properties.get("pushEventsBranchFilter") for hook in hooks} == {"trunk", None}


@pytest.mark.parametrize("name", ["gitea", "gitlab"])
def test_argocd_is_told_of_pushes_and_knows_the_secret(name: str) -> None:
    call = argocd_webhook(stack_of(name))
    assert call
    assert call.url == ARGOCD[name]
    assert call.setting in files_of_secrets(name)["argocd-secret"]
    assert call.setting == {"gitea": "webhook.gogs.secret", "gitlab": "webhook.gitlab.secret"}[name]


def test_gitlab_tells_argocd_of_the_branch_it_follows() -> None:
    (hook,) = (
        each.properties
        for each in recorded("gitlab").resources
        if each.type.endswith(":ProjectHook") and each.properties["project"] == "platform/gitops"
    )
    assert (hook["url"], hook["pushEventsBranchFilter"]) == (ARGOCD["gitlab"], "live")
    assert hook["token"] == "[secret]"


def test_gitea_names_a_repository_as_argocd_follows_it() -> None:
    """Argo CD takes a call to heart only where host and path are those of the address that it follows."""
    for stack in (stack_of("gitea"), parse(configuration("wsl"))):
        followed = urlsplit(stack.delivery.repository or "")
        assert urlsplit(f"{names_itself(stack)}/aihub/gitops.git")[1:3] == followed[1:3]
    assert "ROOT_URL = http://gitea.git.svc:3000/" in gitea_ini()


def test_gitea_may_call_argocd_and_nothing_else_may_be_called() -> None:
    assert "ALLOWED_HOST_LIST = jenkins.ci.svc,argocd-server.argocd.svc" in gitea_ini()
    flows = [(flow.source, flow.port) for flow in plan(stack_of("gitea")).sources_of("argocd")]
    assert ("gitea", 8080) in flows


def gitea_ini() -> str:
    (config,) = (each for each in of_kind(recorded("gitea"), "ConfigMap") if "app.ini" in each.properties["data"])
    return str(config.properties["data"]["app.ini"])


def test_without_a_webhook_gitea_goes_by_its_public_name() -> None:
    stack = stack_of("gitea")
    quiet = stack.model_copy(update={"delivery": stack.delivery.model_copy(update={"argocd": None})})
    assert argocd_webhook(quiet) is None
    assert names_itself(quiet) == "http://git.example.com"


def test_gitea_hook_is_made_after_jenkins_has_its_jobs() -> None:
    recording = recorded("gitea")
    (job,) = (each for each in of_kind(recording, "Job") if each.name == "gitea-setup-job")
    (container,) = job.properties["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each["value"] for each in container["env"]}
    assert [(each["repository"], each["url"], each["events"]) for each in json.loads(env["WEBHOOKS"])] == [
        ("aihub", TABLE[0][1][0], ["push", "pull_request", "pull_request_sync"]),
        ("gitops", ARGOCD["gitea"], ["push"]),
    ]
    assert env["REPOSITORIES"] == "aihub gitops"
    assert any(urn.endswith("jenkins-release") for urn in job.depends_on), job.depends_on


def test_the_guide_names_the_address_of_the_stack() -> None:
    (call,) = webhooks(parse(configuration("wsl")))
    assert call.url in (CHECKOUT / "docs" / "ci.md").read_text()


def test_no_secret_in_an_address_or_a_configuration_script() -> None:
    for name in ("gitea", "gitlab"):
        said = json.dumps([each.properties for each in recorded(name).resources])
        assert not [canary for canary in CANARIES.values() if canary in said]
