"""What takes all pods away: the node goes silent, the stack is destroyed. Last of all, by the name of this file."""

import json
import time
from collections.abc import Collection
from types import SimpleNamespace
from typing import cast

import pytest

from infra.aipp.names import FRONT, SCHEDULER
from ops import destroy
from ops.preflight import owner
from ops.session import Session
from tests.live.common.kube import Manifest, apply, kubectl, listed, node, until
from tests.live.dev import figures, services, silence, tree
from tests.live.dev.faults import all_ready
from tests.live.dev.operators import NAMESPACE
from tests.live.dev.platform import Platform, offer_gpus

pytestmark = pytest.mark.live


def test_pods_of_a_silent_node_are_given_up_in_time_and_come_back(platform: Platform) -> None:
    config = tree.model().aipp
    assert config
    before = {each["metadata"]["uid"]: each for each in listed("pods", NAMESPACE)}
    with silence.another_node():
        with silence.kubelet_away():
            silent = time.monotonic()
            tainted = until("the node counts as silent", silence.given_up_since, 90)
            figures.keep("faults", "kubelet stopped: its node counts as silent after", time.monotonic() - silent)
            until("its pods are given up", lambda: len(_given_up(before)) == len(before), 120)
            late = {name: at - services.seconds(tainted) for name, at in _given_up(before).items()}
            figures.keep("faults", "node counts as silent: the last of its pods is given up after", max(late.values()))
            # The API server tells whole seconds.
            assert config.move_after_seconds - 1 <= min(late.values()), late
            assert max(late.values()) <= config.move_after_seconds + 15, late
            until("others in their place", lambda: len(services.pods(FRONT)) == 2 and services.pods(SCHEDULER), 30)
            assert not any("nodeName" in each["spec"] for each in listed("pods", NAMESPACE) if _is_new(each, before))
            assert not any(services.pods(store) for store in services.STORES)  # the old ones may still write
        back = time.monotonic()
        until("the node is ready", silence.node_is_ready, 120)
        figures.keep("faults", "kubelet started again: its node is ready after", time.monotonic() - back)
    offer_gpus(1)  # a kubelet that starts may forget what no device plugin tells it
    until("no old pod is left", lambda: all(_is_new(each, before) for each in listed("pods", NAMESPACE)), 180)
    all_ready("all ready again")
    figures.keep("faults", "kubelet started again: all services ready after", time.monotonic() - back)
    until("the pods of the others are believed again", lambda: not _doubted(), 120)
    until("Synced", lambda: services.synced(platform.manifests.head()), 300, pause=2)


def _is_new(pod: Manifest, before: Collection[str]) -> bool:
    return pod["metadata"]["uid"] not in before


def _given_up(before: Collection[str]) -> dict[str, float]:
    """Return which of these pods were told to end, and when (seconds since 1970)."""
    told = (each["metadata"] for each in listed("pods", NAMESPACE) if not _is_new(each, before))
    return {
        each["name"]: services.seconds(each["deletionTimestamp"]) - each["deletionGracePeriodSeconds"]
        for each in told
        if "deletionTimestamp" in each
    }


def _doubted() -> list[str]:
    """Return the running pods of every namespace that are not ready."""
    running = ["--all-namespaces", "--field-selector=status.phase=Running", "--output", "json"]
    pods = json.loads(kubectl("get", "pods", *running))["items"]
    return [each["metadata"]["name"] for each in pods if services.ready_since(each) is None]


def test_destroy_takes_the_services_away_and_leaves_their_data(platform: Platform) -> None:
    """What `make destroy` does before Pulumi deletes the Application, and what Argo CD makes of it."""

    def claims() -> dict[str, str]:
        found = (each["metadata"] for each in listed("persistentvolumeclaims", NAMESPACE))
        return {each["name"]: each["uid"] for each in found}

    before, state = claims(), {"deployment": {"resources": [{"inputs": each} for each in tree.declared()]}}
    assert before
    session = SimpleNamespace(kubectl=node(), engine=SimpleNamespace(ask=lambda *_: json.dumps(state)))
    destroy._end_deliveries(cast(Session, session))
    begun = time.monotonic()
    kubectl("delete", "application.argoproj.io", "aipp", "--namespace", "argocd", "--timeout=280s")
    figures.keep("faults", "destroy: Argo CD has taken the services away after", time.monotonic() - begun)
    assert not listed("deployments,statefulsets", NAMESPACE)
    assert claims() == before
    assert owner.own(node(), "dev") == {NAMESPACE}
    apply(tree.declared())
    until("the page again", lambda: services.workload(FRONT) and not services.not_ready(), 400, pause=2)
    assert claims() == before
