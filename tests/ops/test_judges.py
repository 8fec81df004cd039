"""What the API server lists becomes a finding that names what is wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ops.checks import judges


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


def test_pod_that_failed_does_not_count_for_another_takes_its_place() -> None:
    """An evicted one, or one of a refused version's analysis, stays in the list for days."""
    evicted = pod("engine-1", False, "Failed")
    assert judges.pods("chat", {"items": [evicted, pod("engine-2", True)]}).ok
    assert judges.waiting({"items": [evicted]}) == []
    assert not judges.pods("chat", {"items": [evicted]}).ok, "nothing runs"


OLD = "2026-11-24T10:00:00Z"


def now() -> str:
    """This moment, as Kubernetes writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def owned(made: dict[str, Any], kind: str, name: str, since: str = OLD) -> dict[str, Any]:
    made["metadata"] |= {"ownerReferences": [{"kind": kind, "name": name}], "creationTimestamp": since}
    return made


def test_pod_of_a_job_is_given_a_minute_to_start() -> None:
    def judged(kind: str, since: str) -> list[bool]:
        starts: Any = owned(pod("rollback-1", False, "Pending", "ContainerCreating"), kind, "rollback", since)
        listed = {"items": [starts, pod("api-1", True)]}
        return [judges.pods("chat", listed).ok, judges.waiting(listed) == ["api-1"]]

    assert judged("Job", now()) == [True, True]
    assert judged("Job", OLD) == [False, False]
    assert judged("ReplicaSet", now()) == [False, False]


def job(name: str, ended: str, kind: str, owner: str, since: str) -> dict[str, Any]:
    """Return a Job that a controller made."""
    status = {"conditions": [{"type": ended, "status": "True", "message": "too often"}]} if ended else {}
    return owned(item(status, name), kind, owner, since)


def test_last_run_of_a_job_counts_and_an_analysis_is_its_rollouts() -> None:
    later = OLD.replace("T10", "T11")
    bad = job("collect-1", "Failed", "CronJob", "collect", OLD)
    good = job("collect-2", "Complete", "CronJob", "collect", later)
    finding = judges.jobs("chat", {"items": [bad, job("collect-2", "", "CronJob", "collect", later)]})
    assert not finding.ok, "the next one has not ended yet"
    assert finding.says == "failed: collect-1 (too often)"
    assert judges.jobs("chat", {"items": [good, bad]}).ok
    alone = job("fetch", "Failed", "", "", OLD)
    alone["metadata"].pop("ownerReferences")
    assert "fetch (too often)" in judges.jobs("chat", {"items": [good, alone]}).says
    assert judges.jobs("chat", {"items": [job("ask-1", "Failed", "AnalysisRun", "api-1", OLD)]}).ok


def test_unbound_claims_and_unready_nodes_are_found() -> None:
    assert not judges.claims("data", {"items": [item({"phase": "Pending"})]}).ok
    assert not judges.nodes({"items": [item({})]}).ok
    assert judges.nodes({"items": [item({}), item(ready("True"))]}).ok


def test_gpus_of_all_nodes_are_counted() -> None:
    offered = {"items": [item({"allocatable": {"nvidia.com/gpu": "1"}}), item({"allocatable": {}}, "other")]}
    nobody: dict[str, Any] = {"items": []}
    assert judges.gpus(offered, 1, nobody, ["chat"]).ok
    assert not judges.gpus(offered, 2, nobody, ["chat"]).ok


def test_who_asks_for_a_gpu_is_named_and_others_come_first() -> None:
    limits = {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "1"}}}]}
    pods = [
        {"metadata": {"namespace": namespace, "name": name}, "spec": limits, "status": {"phase": phase}}
        for namespace, name, phase in (
            ("chat", "engine", "Running"),
            ("aipp", "enai-linker", "Pending"),
            ("shop", "training", "Running"),
        )
    ]
    offered = {"items": [item({"allocatable": {"nvidia.com/gpu": "2"}})]}
    ours = judges.gpus(offered, 2, {"items": pods[:2]}, ["chat", "aipp"])
    assert ours.ok
    assert "aipp/enai-linker 1, chat/engine 1" in ours.says
    crowded = judges.gpus(offered, 2, {"items": pods}, ["chat", "aipp"])
    assert not crowded.ok
    assert "others ask, too: shop/training 1" in crowded.says


@pytest.mark.parametrize(
    ("judge", "good", "bad", "named"),
    [
        (judges.certificates, ready("True"), ready("False", "DoesNotExist"), "n/it (DoesNotExist)"),
        (judges.certificates, ready("True"), {}, "n/it (not issued yet)"),
        (
            judges.certificates,
            ready("True"),
            {"conditions": [{"type": "Ready", "status": "False", "reason": "Pending", "message": "no DNS record yet"}]},
            "n/it (Pending: no DNS record yet)",
        ),
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


def test_pod_that_no_node_takes_or_that_waits_says_what_for() -> None:
    unscheduled = pod("linker-1", False, "Pending")
    unscheduled["status"] = {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "message": "1 Insufficient nvidia.com/gpu"}],
    }
    waits = pod("backend-1", False, "Pending", "PodInitializing")
    waits["status"]["initContainerStatuses"] = [  # type: ignore[index]
        {"name": "wait-for-pgvector", "state": {"terminated": {"reason": "Completed"}}},
        {"name": "watch-lock", "state": {"running": {}}, "ready": True},
        {"name": "wait-for-redis", "state": {"running": {}}, "ready": False},
    ]
    says = judges.pods("aipp", {"items": [unscheduled, waits]}).says
    assert "linker-1 (1 Insufficient nvidia.com/gpu)" in says
    assert "backend-1 (in wait-for-redis)" in says


def test_container_that_was_killed_for_memory_is_named_though_it_is_well_again() -> None:
    again = pod("linker-1", True)
    (status,) = again["status"]["containerStatuses"]  # type: ignore[index]
    status |= {"name": "linker", "restartCount": 3, "lastState": {"terminated": {"reason": "OOMKilled"}}}
    finding = judges.memory("aipp", {"items": [again, pod("front-1", True)]})
    assert not finding.ok
    assert "linker-1 (linker, started again 3 times)" in finding.says
    status["lastState"] = {"terminated": {"reason": "Error"}}
    assert judges.memory("aipp", {"items": [again]}).ok


def test_newest_warning_of_a_pod_that_waits_is_quoted() -> None:
    def event(name: str, message: str, at: str, kind: str = "Warning") -> dict[str, Any]:
        return {"type": kind, "message": message, "lastTimestamp": at, "involvedObject": {"name": name}}

    listed = {
        "items": [
            event("backend-1", 'secret "enai-backend-secrets" not found', "2026-11-24T10:01:00Z"),
            event("backend-1", "older", "2026-11-24T10:00:00Z"),
            event("backend-1", "Pulled", "2026-11-24T10:02:00Z", "Normal"),
            event("front-1", "of a pod that is ready", "2026-11-24T10:02:00Z"),
        ]
    }
    waits = {**item({}, "backend-1")}
    well = {**item(ready("True"), "front-1")}
    names = judges.waiting({"items": [waits, well]})
    assert names == ["backend-1"]
    finding = judges.events("aipp", listed, names)
    assert not finding.ok
    assert finding.says == 'backend-1: secret "enai-backend-secrets" not found'
    assert judges.events("aipp", listed, ["front-2"]).ok


def test_secret_that_was_not_fetched_is_named_with_the_stores_words() -> None:
    sealed = item({"conditions": [{"type": "Ready", "status": "False", "message": "Vault is sealed"}]}, "backend")
    finding = judges.external_secrets({"items": [sealed, item(ready("True"))]})
    assert not finding.ok
    assert "n/backend (Vault is sealed)" in finding.says
    assert "not fetched yet" in judges.external_secrets({"items": [item({})]}).says
    assert judges.external_secrets({"items": [item(ready("True"))]}).ok
