"""What the API server lists becomes a finding that names what is wrong."""

from typing import Any

import pytest

from ops import judges


def pod(name: str, ready: bool, phase: str = "Running", reason: str = "CrashLoopBackOff") -> dict[str, object]:
    state = {"running": {}} if ready else {"waiting": {"reason": reason}}
    return {
        "metadata": {"name": name},
        "status": {"phase": phase, "containerStatuses": [{"ready": ready, "state": state}]},
    }


def item(status: dict[str, Any], name: str = "it") -> dict[str, Any]:
    return {"metadata": {"namespace": "n", "name": name}, "status": status}


def ready(status: str, reason: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": "Ready", "status": status, "reason": reason}]}


def test_pods_that_wait_are_named_with_their_reason() -> None:
    finding = judges.pods("chat", {"items": [pod("api-1", True), pod("engine-1", False)]})
    assert not finding.ok
    assert "engine-1 (CrashLoopBackOff)" in finding.says


def test_finished_pods_do_not_count_and_none_is_enough_only_where_nothing_is_to_run() -> None:
    assert judges.pods("chat", {"items": [pod("api-1", True), pod("fetch", False, "Succeeded")]}).ok
    assert not judges.pods("chat", {"items": []}, workloads=2).ok
    assert judges.pods("builds", {"items": []}, workloads=0).ok
    assert not judges.pods("builds", {"items": [pod("build-1", False)]}, workloads=0).ok


def test_unbound_claims_and_unready_nodes_are_found() -> None:
    assert not judges.claims("data", {"items": [item({"phase": "Pending"})]}).ok
    assert not judges.nodes({"items": [item({})]}).ok
    assert judges.nodes({"items": [item({}), item(ready("True"))]}).ok


def test_gpus_of_all_nodes_are_counted() -> None:
    offered = {"items": [item({"allocatable": {"nvidia.com/gpu": "1"}}), item({"allocatable": {}})]}
    assert judges.gpus(offered, 1).ok
    assert not judges.gpus(offered, 2).ok


@pytest.mark.parametrize(
    ("judge", "good", "bad", "named"),
    [
        (judges.certificates, ready("True"), ready("False", "DoesNotExist"), "n/it (DoesNotExist)"),
        (judges.certificates, ready("True"), {}, "n/it (not issued yet)"),
        (
            judges.applications,
            {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}},
            {"sync": {"status": "OutOfSync"}, "health": {"status": "Healthy"}},
            "n/it (OutOfSync, Healthy)",
        ),
        (
            judges.applications,
            {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}},
            {},
            "(Unknown, Unknown)",
        ),
        (judges.rollouts, {"phase": "Paused"}, {"phase": "Degraded"}, "n/it (Degraded)"),
    ],
)
def test_the_bad_one_is_named(judge: Any, good: dict[str, Any], bad: dict[str, Any], named: str) -> None:
    assert judge({"items": [item(good, "other")]}).ok
    finding = judge({"items": [item(good, "other"), item(bad)]})
    assert not finding.ok
    assert named in finding.says
    assert "n/other" not in finding.says
