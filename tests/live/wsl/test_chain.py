"""From a commit to a new answer, and from a bad commit back; each test finds what the one before left."""

import time

import pytest

from tests.live.wsl.delivery import (
    analysis_phase,
    application,
    healthy,
    push,
    rolled_out,
    rollout,
    tag_in_cluster,
    taken_over,
    why,
)
from tests.live.wsl.jenkins import tag_of
from tests.live.wsl.kube import get, kubectl, until
from tests.live.wsl.platform import Platform

pytestmark = pytest.mark.live

MISTAKE = '    raise RuntimeError("a bad commit")\n'
TRY = "    try:\n        answer = await unless_client_leaves(request, work)"
ROUTES = "service/chatbot/api/chat/api.py"


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


def test_webhook_with_a_wrong_signature_is_refused(platform: Platform) -> None:
    number = platform.gitea.make_webhook("service", platform.jenkins.url, "not the secret")
    platform.gitea.try_webhook("service", number)
    until("the webhook arrives and is refused", lambda: platform.jenkins.refused, 60)
    platform.gitea.remove_webhook("service", number)
    assert not platform.jenkins.builds


def test_the_build_pod_builds_and_pushes(platform: Platform) -> None:
    """The first build fills the cache; it is measured apart, for it happens once."""
    commit = platform.service.head()
    platform.stages.begin(commit, "first build, without a cache", time.monotonic())
    word = platform.jenkins.build(commit)
    assert word.startswith("Pushed"), word
    platform.stages.mark("image", commit)
    assert tag_of(commit) in platform.updater.tags()


def test_the_first_tag_of_a_commit_is_delivered(platform: Platform) -> None:
    """From here on Git names commits: what Pulumi pushed first is no version, and nobody goes back to it."""
    with platform.updater.looking():
        until("the updater writes the tag", lambda: platform.updater.written, 60)
        until("the canary has taken over", lambda: taken_over(tag_of(platform.service.head())), 600, pause=2)


def test_a_push_becomes_a_new_answer_without_a_failed_request(platform: Platform) -> None:
    platform.gitea.make_webhook("service", platform.jenkins.url, platform.jenkins.secret)
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
    good = platform.updater.named()
    platform.service.replace(ROUTES, TRY, MISTAKE + TRY)
    with platform.updater.looking():
        commit = push(platform, "A mistake", "bad commit")
        bad = tag_of(commit)
        until("Git names the bad tag", lambda: platform.updater.named() == bad, 60)
        platform.stages.mark("tag in Git", commit)
        until("Argo CD syncs the tag", lambda: tag_in_cluster() == bad, 120)
        platform.stages.mark("synced", commit)
        until("the canary has failed", lambda: rollout()["status"].get("abort"), 600)
        platform.stages.mark("sent back", commit)
        assert analysis_phase() == "Failed"
        until("the bad tag is refused", lambda: bad in platform.updater.settings().get("ignoreTags", ()), 240)
        platform.stages.mark("refused", commit)
        until("Git names the good tag", lambda: platform.updater.named() == good, 240)
        platform.stages.mark("good tag in Git", commit)
        until("the cluster runs the good tag", lambda: rolled_out(good), 300)
        platform.stages.mark("good tag in the cluster", commit)
        platform.stages.write()
        written = len(platform.updater.written)
        time.sleep(90)  # the rollback looks once a minute, the updater every few seconds: nobody changes his mind
        assert platform.updater.named() == good
        assert platform.updater.written[written:] == []
        assert tag_in_cluster() == good
    platform.service.replace(ROUTES, MISTAKE, "")  # goes out with the next commit
    assert {platform.visitors.fingerprint() for _ in range(8)} == {"second"}
