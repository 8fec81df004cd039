"""The other way of rolling out: blue-green in place of the canary. Follows test_chain.py and test_faults.py."""

import time

import pytest

from tests.live.common.kube import get, listed, until
from tests.live.wsl.delivery import analysis_phase, follow_a_mistake, healthy, push, rollout, taken_over
from tests.live.wsl.jenkins import tag_of
from tests.live.wsl.platform import Platform

pytestmark = pytest.mark.live

HASH = "rollouts-pod-template-hash"
"""Label by which the controller tells the pods of two versions apart."""


def test_a_running_canary_becomes_blue_green_without_a_failed_request(platform: Platform) -> None:
    analyses = len(listed("analysisruns.argoproj.io", "chat"))
    with platform.visitors.coming():
        platform.roll_out_by("blueGreen")
        until("the Rollout is blue-green", lambda: "blueGreen" in rollout()["spec"]["strategy"], 120, pause=2)
        until("requests are led to the pods that serve", lambda: active() == stable(), 120)
        until("Application Synced and Healthy", healthy, 180, pause=3)
    assert not platform.visitors.failures, platform.visitors.failures
    assert len(listed("analysisruns.argoproj.io", "chat")) == analyses, "no new version, so nobody to be asked"


def test_a_push_by_blue_green_moves_everybody_at_once(platform: Platform) -> None:
    platform.service.write_version("fifth")
    visitors, old = platform.visitors, active()
    with platform.updater.looking(), visitors.coming():
        commit = push(platform, "By blue-green", "commit by blue-green")
        until("Git names the tag", lambda: platform.updater.named() == tag_of(commit), 60)
        platform.stages.mark("tag in Git", commit)
        until("the new pods are beside the old ones", lambda: rollout()["status"].get("currentPodHash") != old, 120)
        platform.stages.mark("synced", commit)
        until("a first new answer", lambda: "fifth" in visitors.fingerprints, 300, pause=0.2)
        platform.stages.mark("first new answer", commit)
        until("the new version has taken over", lambda: taken_over(tag_of(commit)), 600)
        platform.stages.mark("rolled out", commit)
        time.sleep(5)
        assert {visitors.fingerprint() for _ in range(8)} == {"fifth"}
        until("Application Synced and Healthy", healthy, 120, pause=2)
    platform.stages.write()
    assert analysis_phase() == "Successful"
    assert active() == stable() != old
    assert not visitors.failures, visitors.failures


def test_a_bad_commit_by_blue_green_reaches_nobody(platform: Platform) -> None:
    """Its pods are asked in the preview only; whoever asks the chat meanwhile, and afterwards, gets the old answer."""
    visitors, old = platform.visitors, active()
    with platform.updater.looking(), visitors.coming():
        bad = follow_a_mistake(platform, "bad commit by blue-green")
    images = [each["spec"]["containers"][0]["image"] for each in listed("pods", "chat", "app.kubernetes.io/name=api")]
    assert not [image for image in images if image.endswith(f":{bad}")], images
    assert active() == stable() == old
    assert visitors.fingerprints == {"fifth"}
    assert visitors.answered > 20
    assert not visitors.failures, visitors.failures
    until("Application Synced and Healthy", healthy, 120, pause=2)


def active() -> str:
    """Return the version that the Service leads to; empty where the controller has not turned it yet."""
    service = get("service", "api", "chat")
    assert service is not None
    return str(service["spec"]["selector"].get(HASH, ""))


def stable() -> str:
    """Return the version that is known to be good."""
    return str(rollout()["status"]["stableRS"])
