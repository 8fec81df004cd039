"""What has become of a commit: in the build, in Argo CD, in the rollout."""

import time

from tests.live.common.kube import Manifest, get, kubectl, listed, until
from tests.live.wsl.jenkins import tag_of
from tests.live.wsl.platform import Platform

APPLICATION = "backend-chat"
MISTAKE = '    raise RuntimeError("a bad commit")\n'
TRY = "    try:\n        answer = await unless_client_leaves(request, work)"
ROUTES = "service/chatbot/api/chat/api.py"


def application() -> Manifest:
    """Return the Application as it is now."""
    found = get("application.argoproj.io", APPLICATION, "argocd")
    assert found is not None, f"Pulumi declared no Application {APPLICATION}"
    return found


def healthy() -> bool:
    """Say whether Argo CD has all of Git in the cluster, and all of it is well."""
    status = application().get("status", {})
    states = (status.get("sync", {}).get("status"), status.get("health", {}).get("status"))
    return states == ("Synced", "Healthy")


def why() -> str:
    """Return what Argo CD says about what is not well."""
    status = application().get("status", {})
    bad = [
        f"{each['kind']}/{each['name']}: {each.get('status')} {each.get('health', {})}"
        for each in status.get("resources", [])
        if each.get("status") != "Synced" or each.get("health", {}).get("status", "Healthy") != "Healthy"
    ]
    return "\n".join(
        [*bad, str(status.get("conditions", "")), str(status.get("operationState", {}).get("message", ""))]
    )


def push(platform: Platform, message: str, name: str) -> str:
    """Commit, push, and wait for the image; return the commit."""
    commit = push_and_build(platform, message, name)
    assert platform.jenkins.builds[commit].startswith("Pushed"), platform.jenkins.builds[commit]
    return commit


def push_and_build(platform: Platform, message: str, name: str) -> str:
    """Commit, push, and wait for the end of the build, whatever that is; return the commit."""
    begun = time.monotonic()
    commit = platform.service.commit_and_push(message)
    platform.stages.begin(commit, name, begun)
    builds = platform.jenkins.builds
    until("the webhook arrives", lambda: commit in builds, 60)
    until("the build ends", lambda: builds[commit], 900)
    return commit


def rollout() -> Manifest:
    """Return the api's Rollout."""
    found = get("rollouts.argoproj.io", "api", "chat")
    assert found is not None
    return found


def tag_in_cluster() -> str:
    """Return the tag that the Rollout is told."""
    return tag_of_pods(rollout())


def tag_of_pods(workload: Manifest) -> str:
    """Return the tag of a workload's pods."""
    return str(workload["spec"]["template"]["spec"]["containers"][0]["image"]).rpartition(":")[2]


def rolled_out(tag: str) -> bool:
    """Say whether a tag is what is wanted, and what serves alone."""
    status = rollout()["status"]
    serving = get("replicasets.apps", f"api-{status.get('stableRS')}", "chat")
    if status.get("phase") != "Healthy" or serving is None or tag_in_cluster() != tag:
        return False
    return tag_of_pods(serving) == tag


def taken_over(tag: str) -> bool:
    """Say whether a tag serves alone; a rollout that was sent back ends the wait with the analysis' own words."""
    if rollout()["status"].get("abort"):
        said = kubectl("logs", "--namespace", "chat", "--selector", "app.kubernetes.io/name=api-analysis", "--tail=20")
        raise AssertionError(f"the rollout was sent back: {said}")
    return rolled_out(tag)


def follow_a_mistake(platform: Platform, name: str) -> str:
    """Push a commit that cannot answer, see it fail, and wait until nobody wants it any more; return its tag.

    Raises:
        AssertionError: it does not go that way, or somebody changes his mind afterwards.
    """
    good, updater, stages = platform.updater.named(), platform.updater, platform.stages
    platform.service.replace(ROUTES, TRY, MISTAKE + TRY)
    commit = push(platform, "A mistake", name)
    platform.service.replace(ROUTES, MISTAKE, "")  # goes out with the next commit
    bad = tag_of(commit)
    until("Git names the bad tag", lambda: updater.named() == bad, 60)
    stages.mark("tag in Git", commit)
    until("Argo CD syncs the tag", lambda: tag_in_cluster() == bad, 120)
    stages.mark("synced", commit)
    until("the rollout has failed", lambda: rollout()["status"].get("abort"), 600)
    stages.mark("sent back", commit)
    assert analysis_phase() == "Failed"
    until("the bad tag is refused", lambda: bad in updater.settings().get("ignoreTags", ()), 240)
    stages.mark("refused", commit)
    until("Git names the good tag", lambda: updater.named() == good, 240)
    stages.mark("good tag in Git", commit)
    until("the cluster runs the good tag", lambda: rolled_out(good), 300)
    stages.mark("good tag in the cluster", commit)
    stages.write()
    written = len(updater.written)
    time.sleep(90)  # the rollback looks once a minute, the updater every few seconds: nobody changes his mind
    assert (updater.named(), updater.written[written:], tag_in_cluster()) == (good, [], good)
    return bad


def analysis_phase() -> str:
    """Return how the newest analysis ended."""
    return str(listed("analysisruns.argoproj.io", "chat")[-1]["status"]["phase"])
