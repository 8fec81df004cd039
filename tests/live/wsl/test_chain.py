"""From a commit to a new answer, and from a bad commit back; each test finds what the one before left."""

import time

import pytest

from infra.ci.webhook import argocd_webhook
from ops import verify
from ops.clients.chat import ChatClient
from ops.kubectl import Kubectl
from ops.preflight import owner
from tests.live.common.kube import get, kubectl, listed, until
from tests.live.wsl import argocd_server
from tests.live.wsl.delivery import (
    APPLICATION,
    application,
    follow_a_mistake,
    healthy,
    push,
    tag_in_cluster,
    taken_over,
    why,
)
from tests.live.wsl.jenkins import tag_of
from tests.live.wsl.platform import Platform

pytestmark = pytest.mark.live


def test_git_server_holds_what_the_room_declares(platform: Platform) -> None:
    """Its Job made both repositories and their webhooks, and let the account of delivery write."""
    gitea, told = platform.gitea, argocd_webhook(platform.gitea.stack)
    assert told
    called = {project: [hook["config"]["url"] for hook in gitea.webhooks(project)] for project in gitea.projects}
    assert called == {gitea.source: [platform.jenkins.address], gitea.tree: [told.url]}
    for project in gitea.projects:
        rights = gitea.ask("GET", f"/repos/{project}/collaborators/{gitea.tree_account}/permission")
        assert rights["permission"] == "write", project


def test_argo_cd_brings_the_rendered_tree_to_life(platform: Platform) -> None:
    try:
        until("Application Synced and Healthy", healthy, 600, pause=3)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{why()}\n{kubectl('get', 'pods', '-A')}") from None
    assert platform.visitors.fingerprint() == "none"


def test_pulumi_and_argo_cd_share_no_object(platform: Platform) -> None:
    """Everything that Argo CD says it owns was applied by Argo CD, and by no Pulumi."""
    for each in application()["status"]["resources"]:
        kind = f"{each['kind']}.{each['group']}" if each.get("group") else each["kind"]
        found = get(kind, each["name"], each["namespace"])
        assert found is not None
        text = kubectl(
            "get", kind, each["name"], "--namespace", each["namespace"], "--show-managed-fields",
            "--output", "jsonpath={.metadata.managedFields[*].manager}",
        )  # fmt: skip
        assert "argocd-controller" in text, f"{kind} {each['name']}: {text}"
        assert "pulumi" not in text.lower(), f"{kind} {each['name']}: {text}"


def test_the_first_push_is_built_and_pushed(platform: Platform) -> None:
    """By the webhook that the set-up made; it fills the cache, so it is measured apart."""
    commit = push(platform, "The service as it is", "first build, without a cache")
    assert tag_of(commit) in platform.updater.tags()


def test_webhook_with_a_wrong_secret_is_refused_until_the_set_up_runs_again(platform: Platform) -> None:
    """The pushes of the tests that follow are announced by the webhook that the Job makes here."""
    gitea, before = platform.gitea, dict(platform.jenkins.builds)
    gitea.spoil_webhook(gitea.source)
    until("the webhook arrives and is refused", lambda: platform.jenkins.refused, 60)
    gitea.set_up()
    assert [hook["config"]["url"] for hook in gitea.webhooks(gitea.source)] == [platform.jenkins.address]
    assert platform.jenkins.builds == before


def test_argo_cd_is_told_of_a_push(platform: Platform) -> None:
    """It looks by itself once a minute: what it knows at once, Gitea's webhook has told its server."""
    webhook = argocd_webhook(platform.gitea.stack)
    assert webhook
    assert argocd_server.answer(webhook, proof="0" * 64) == webhook.refusal
    (platform.manifests.folder / "README.md").write_text("What Argo CD follows.\n")
    before, begun = argocd_server.asked(APPLICATION), time.monotonic()
    commit = platform.manifests.commit_and_push("Nothing that changes the cluster")
    platform.stages.begin(commit, "commit that Argo CD is told of", begun)
    until("Argo CD has compared", lambda: application()["status"]["sync"].get("revision") == commit, 120, pause=0.2)
    platform.stages.mark("compared", commit)
    assert argocd_server.asked(APPLICATION) > before


def test_the_first_tag_of_a_commit_is_delivered(platform: Platform) -> None:
    """From here on Git names commits: what Pulumi pushed first is no version, and nobody goes back to it."""
    with platform.updater.looking():
        until("the updater writes the tag", lambda: platform.updater.written, 60)
        until("the canary has taken over", lambda: taken_over(tag_of(platform.service.head())), 600, pause=2)


def test_a_push_becomes_a_new_answer_without_a_failed_request(platform: Platform) -> None:
    platform.service.write_version("second")
    visitors = platform.visitors
    with platform.updater.looking(), visitors.coming():
        commit = push(platform, "Answers say which version they are from", "good commit")
        until("Git names the tag", lambda: platform.updater.named() == tag_of(commit), 60)
        platform.stages.mark("tag in Git", commit)
        until("Argo CD syncs the tag", lambda: tag_in_cluster() == tag_of(commit), 120)
        platform.stages.mark("synced", commit)
        until("a first new answer", lambda: "second" in visitors.fingerprints, 300, pause=0.2)
        platform.stages.mark("first new answer", commit)
        until("the canary has taken over", lambda: taken_over(tag_of(commit)), 600)
        platform.stages.mark("rolled out", commit)
        until("Application Synced and Healthy", healthy, 120, pause=2)
        time.sleep(15)  # the last old pods end
    platform.stages.write()
    assert {visitors.fingerprint() for _ in range(8)} == {"second"}
    assert visitors.answered > 20
    assert not visitors.failures, visitors.failures


def test_a_bad_commit_is_sent_back_and_refused(platform: Platform) -> None:
    with platform.updater.looking():
        follow_a_mistake(platform, "bad commit")
    assert {platform.visitors.fingerprint() for _ in range(8)} == {"second"}


def test_verify_finds_nothing_though_pods_of_the_refused_commit_are_still_listed(platform: Platform) -> None:
    assert [pod for pod in listed("pods", "chat") if pod["status"]["phase"] == "Failed"]
    declared = platform.declared
    outputs = {"namespaces": {name: name for name in owner.namespaces(declared.stack)}}
    chat = ChatClient(url=platform.visitors.url, api_key=declared.api_key)
    found = verify.checks(Kubectl.of(declared.paths), outputs, chat)
    bad = {each.name: each.says for each in found if not each.ok}
    assert not bad
    assert {"applications", "rollouts", "answer", "pods in chat"} <= {each.name for each in found}
