"""Readiness: states that a live object goes through, and when waiting ends."""

from typing import Any, cast

import pytest

from plugins.kubernetes.cluster import Cluster
from plugins.kubernetes.readiness import CHECKS, Readiness, check_for

_NO_CLUSTER = cast(Cluster, None)


def _of(kind: tuple[str, str], spec: dict[str, Any], status: dict[str, Any]) -> Readiness:
    live = {"metadata": {"name": "x", "namespace": "n", "generation": 2}, "spec": spec, "status": status}
    return CHECKS[kind](live, _NO_CLUSTER)


_ROLLED_OUT = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        (_ROLLED_OUT, ""),
        ({**_ROLLED_OUT, "observedGeneration": 1}, "the deployment controller"),
        ({**_ROLLED_OUT, "updatedReplicas": 1}, "2 pods of the new revision: 1 made"),
        ({**_ROLLED_OUT, "replicas": 3}, "1 old pods to end"),
        ({**_ROLLED_OUT, "availableReplicas": 1}, "2 pods: 1 ready"),
        ({}, "the deployment controller"),
    ],
)
def test_a_deployment_is_ready_when_it_rolled_out(status: dict[str, Any], missing: str) -> None:
    assert _of(("apps", "Deployment"), {"replicas": 2}, status).waits_for == missing


def test_a_deployment_that_makes_no_progress_has_failed() -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    state = _of(("apps", "Deployment"), {"replicas": 2}, {"observedGeneration": 2, "conditions": [condition]})
    assert "timed out" in state.failed


_STATEFUL = {"observedGeneration": 2, "readyReplicas": 1, "updateRevision": "b", "currentRevision": "b"}


@pytest.mark.parametrize(
    ("spec", "status", "missing"),
    [
        ({"replicas": 1}, _STATEFUL, ""),
        ({"replicas": 2}, _STATEFUL, "2 pods: 1 ready"),
        ({"replicas": 1}, {**_STATEFUL, "currentRevision": "a"}, "1 pods of the new revision: 0 ready"),
        ({"replicas": 1}, {**_STATEFUL, "currentRevision": "a", "updatedReplicas": 1}, ""),
        ({"replicas": 1, "updateStrategy": {"type": "OnDelete"}}, {**_STATEFUL, "currentRevision": "a"}, ""),
        ({"replicas": 1}, {**_STATEFUL, "observedGeneration": 1}, "the stateful set controller"),
    ],
)
def test_a_stateful_set_is_ready_in_its_new_revision(
    spec: dict[str, Any], status: dict[str, Any], missing: str
) -> None:
    assert _of(("apps", "StatefulSet"), spec, status).waits_for == missing


def test_a_daemon_set_needs_a_pod_on_each_node() -> None:
    status = {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}
    assert _of(("apps", "DaemonSet"), {}, status).waits_for == "2 pods: 1 ready"
    assert not _of(("apps", "DaemonSet"), {}, {**status, "numberAvailable": 2}).waits_for


def test_a_job_is_awaited_to_its_end_and_its_failure_ends_the_wait() -> None:
    complete = [{"type": "Complete", "status": "True"}]
    failed = [{"type": "Failed", "status": "True", "message": "has reached the limit"}]
    assert "1 pods active" in _of(("batch", "Job"), {}, {"active": 1}).waits_for
    assert not _of(("batch", "Job"), {}, {"conditions": complete}).waits_for
    assert "has reached the limit" in _of(("batch", "Job"), {}, {"conditions": failed}).failed


@pytest.mark.parametrize(
    "spec", [{"type": "ExternalName"}, {"clusterIP": "None", "selector": {"a": "b"}}, {"clusterIP": "10.0.0.1"}]
)
def test_services_without_endpoints_of_their_own_are_ready_at_once(spec: dict[str, Any]) -> None:
    assert not _of(("", "Service"), spec, {}).waits_for


def test_an_ingress_waits_for_its_address() -> None:
    kind = ("networking.k8s.io", "Ingress")
    assert _of(kind, {}, {}).waits_for
    assert not _of(kind, {}, {"loadBalancer": {"ingress": [{"ip": "10.0.0.9"}]}}).waits_for


def test_kinds_without_a_state_are_not_waited_for() -> None:
    assert check_for({"apiVersion": "v1", "kind": "ConfigMap"}) is None
    # The same kind of another group is another kind.
    assert check_for({"apiVersion": "example.org/v1", "kind": "Deployment"}) is None
