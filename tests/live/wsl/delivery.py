"""What has become of a commit: in the build, in Argo CD, in the rollout."""

import time

from tests.live.wsl.kube import Manifest, get, kubectl, listed, until
from tests.live.wsl.platform import Platform

APPLICATION = "backend-chat"


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


def analysis_phase() -> str:
    """Return how the newest analysis ended."""
    return str(listed("analysisruns.argoproj.io", "chat")[-1]["status"]["phase"])
