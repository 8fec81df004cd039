"""What a stack reserves is added up from manifests and from charts' values, and compared with the machine."""

from typing import Any

import pytest

from ops.preflight import memory
from ops.preflight.requests import mib, millicores, of_stack, total_mib, total_millicores
from tests.ops.preflight_machine import WSL, Answers, resource, stack


def container(memory_quantity: str, cpu: str = "100m") -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"memory": memory_quantity, "cpu": cpu}}}


def workload(kind: str, replicas: int, *containers: dict[str, Any], initial: dict[str, Any] | None = None) -> Any:
    pod = {"containers": list(containers), **({"initContainers": [initial]} if initial else {})}
    return resource(kind, f"{kind.lower()}-{replicas}", spec={"replicas": replicas, "template": {"spec": pod}})


@pytest.mark.parametrize(
    ("quantity", "expected"), [("512Mi", 512), ("2Gi", 2048), ("1048576", 1), ("1Ki", 1 / 1024), ("1M", 1e6 / 2**20)]
)
def test_quantities_of_memory(quantity: str, expected: float) -> None:
    assert mib(quantity) == pytest.approx(expected)


def test_a_quantity_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="512MB"):
        mib("512MB")


def test_quantities_of_processors() -> None:
    assert (millicores("250m"), millicores("1.5"), millicores(2)) == (250, 1500, 2000)


def test_replicas_and_containers_are_added_and_a_large_start_counts() -> None:
    parts = of_stack(
        stack(
            workload("Deployment", 3, container("100Mi"), container("50Mi")),
            workload("StatefulSet", 1, container("100Mi"), initial=container("400Mi")),
            workload("Rollout", 2, container("10Mi")),
        ).recording
    )
    assert total_mib(parts) == 3 * 150 + 400 + 20
    assert total_millicores(parts) == 600 + 100 + 200


def test_what_runs_now_and_then_is_listed_and_not_added() -> None:
    nightly = resource(
        "CronJob",
        "nightly",
        spec={"jobTemplate": {"spec": {"template": {"spec": {"containers": [container("512Mi")]}}}}},
    )
    (part,) = of_stack(stack(nightly).recording)
    assert (part.passing, part.memory_mib) == (True, 512)
    assert total_mib([part]) == 0


def test_a_charts_values_are_searched_with_the_replicas_beside_them() -> None:
    values = {
        "server": {"replicas": 2, "resources": {"requests": {"memory": "256Mi", "cpu": "50m"}}},
        "worker": {"replicaCount": 3, "resources": {"requests": {"memory": "10Mi"}}},
        "volume": {"spec": {"resources": {"requests": {"storage": "20Gi"}}}},
        "first": {"initContainers": [{"resources": {"requests": {"memory": "5Gi"}}}]},
        "agent": {"pods": [{"resources": {"requests": {"memory": "1Gi"}}}]},
        "off": {"enabled": False, "resources": {"requests": {"memory": "64Gi"}}},
    }
    parts = of_stack(stack(resource("Release", "chart", values=values)).recording)
    assert total_mib(parts) == 512 + 30 + 1024
    assert {part.part for part in parts if not part.passing} == {
        "chart: server",
        "chart: worker",
        "chart: agent.pods[0]",
    }
    assert [part.part for part in parts if part.passing] == ["chart: first.initContainers[0]"]


def test_a_chart_that_states_nothing_is_listed_as_such() -> None:
    (part,) = of_stack(stack(resource("Release", "silent", values={"replicas": 3})).recording)
    assert not part.is_stated
    assert total_mib([part]) == 0


MEMINFO = "MemTotal:       24607720 kB\nMemFree:         1000000 kB\n"


def test_a_stack_that_does_not_fit_names_the_largest_parts_and_where_the_limit_is_set() -> None:
    machine = Answers(files={"/proc/meminfo": MEMINFO, "/proc/version": WSL})
    (fits,) = memory.looks(machine, stack(workload("Deployment", 1, container("16Gi"))))
    assert fits.ok
    (too_much,) = memory.looks(
        machine, stack(workload("Deployment", 1, container("16Gi")), workload("StatefulSet", 1, container("8Gi")))
    )
    assert not too_much.ok
    assert ".wslconfig" in too_much.fix
    assert "deployment-1 16.0 GiB, statefulset-1 8.0 GiB" in too_much.fix


def test_before_up_only_the_requests_themselves_must_fit() -> None:
    machine = Answers(files={"/proc/meminfo": MEMINFO})
    declared = stack(workload("Deployment", 1, container("23Gi")))
    assert not memory.looks(machine, declared)[0].ok
    assert memory.looks(machine, declared, system_mib=0)[0].ok


ELSEWHERE = {"context": "kind-kind"}


def node(memory_quantity: str) -> dict[str, Any]:
    return {"metadata": {"name": "worker"}, "status": {"allocatable": {"memory": memory_quantity}}}


def running(namespace: str, memory_quantity: str, phase: str = "Running") -> dict[str, Any]:
    spec = {"containers": [container(memory_quantity), {"name": "unstated"}]}
    return {"metadata": {"namespace": namespace, "name": "p"}, "spec": spec, "status": {"phase": phase}}


def test_a_cluster_elsewhere_is_judged_by_its_nodes_and_not_by_this_machine() -> None:
    declared = stack(workload("Deployment", 1, container("40Gi")), cluster=ELSEWHERE)
    pods = [running("shop", "16Gi"), running("chat", "40Gi"), running("shop", "64Gi", "Succeeded")]
    large = Answers(files={"/proc/meminfo": MEMINFO}, cluster={"nodes": [node("32Gi"), node("32Gi")], "pods": pods})
    (fits,) = memory.looks(large, declared)
    assert fits.ok
    assert "40.0 GiB needed, 48.0 GiB there" in fits.says
    small = Answers(cluster={"nodes": [node("32Gi")], "pods": []})
    assert not memory.looks(small, declared)[0].ok


def test_a_cluster_elsewhere_that_does_not_answer_is_not_judged() -> None:
    declared = stack(workload("Deployment", 1, container("40Gi")), cluster=ELSEWHERE)
    (finding,) = memory.looks(Answers(files={"/proc/meminfo": MEMINFO}), declared)
    assert finding.ok
    assert "no cluster answers" in finding.says
