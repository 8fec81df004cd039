"""Webhook addresses: derived once, with Jenkins' own port and path, and no secret in them."""

import json

import pytest

from infra.ci.webhook import webhooks
from infra.config.load import parse
from infra.stackfile import CHECKOUT, configuration
from tests.infra.ci.support import recorded, stack_of
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


@pytest.mark.parametrize(("name", "urls", "refusal"), TABLE)
def test_addresses_and_what_a_wrong_secret_is_answered(name: str, urls: list[str], refusal: int) -> None:
    calls = webhooks(stack_of(name))
    assert [call.url for call in calls] == urls
    assert {call.refusal for call in calls} == {refusal}
    assert refusal in (401, 403)


def test_gitlab_hooks_call_these_addresses_with_the_secret_in_a_header() -> None:
    hooks = [each for each in recorded("gitlab").resources if each.type.endswith(":ProjectHook")]
    assert [hook.properties["url"] for hook in hooks] == TABLE[1][1]
    assert {hook.properties["token"] for hook in hooks} == {"[secret]"}
    pushes = {hook.properties["url"].rpartition("/")[2]: hook.properties["pushEvents"] for hook in hooks}
    assert pushes == {"service": True, "web": True, "infra": False}
    assert {hook.properties.get("pushEventsBranchFilter") for hook in hooks} == {"trunk", None}


def test_gitea_hook_is_made_after_jenkins_has_its_jobs() -> None:
    recording = recorded("gitea")
    (job,) = (each for each in of_kind(recording, "Job") if each.name == "gitea-setup-job")
    (container,) = job.properties["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each["value"] for each in container["env"]}
    assert env["WEBHOOK_URL"] == TABLE[0][1][0]
    assert env["REPOSITORIES"] == "aihub gitops"
    assert any(urn.endswith("jenkins-release") for urn in job.depends_on), job.depends_on


def test_the_guide_names_the_address_of_the_stack() -> None:
    rooms = {key.removeprefix("aihub:"): value for key, value in configuration("wsl").items()}
    (call,) = webhooks(parse(rooms))
    assert call.url in (CHECKOUT / "docs" / "ci.md").read_text()


def test_no_secret_in_an_address_or_a_configuration_script() -> None:
    for name in ("gitea", "gitlab"):
        said = json.dumps([each.properties for each in recorded(name).resources])
        assert not [canary for canary in CANARIES.values() if canary in said]
