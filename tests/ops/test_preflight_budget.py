"""The whole of stack `wsl`, the model server included, fits into the memory that `.wslconfig` gives."""

import pytest

from bench import budget
from cluster.wsl.settings import MEMORY_GIB
from ops.preflight.declared import declared
from ops.preflight.memory import KERNEL_MIB, SYSTEM_MIB
from ops.preflight.requests import Reserved, of_stack, total_mib, total_millicores


@pytest.fixture(scope="module")
def parts() -> list[Reserved]:
    return of_stack(declared("wsl").recording)


def test_it_fits_into_what_wslconfig_gives_less_what_the_system_needs(parts: list[Reserved]) -> None:
    largest = sorted(parts, key=lambda part: -(part.memory_mib or 0))[:5]
    assert total_mib(parts) <= MEMORY_GIB * 1024 - KERNEL_MIB - SYSTEM_MIB, largest
    assert total_millicores(parts) <= 8000


def test_the_engine_is_in_the_sum_though_argo_cd_delivers_it(parts: list[Reserved]) -> None:
    (engine,) = [part for part in parts if part.part == "engine"]
    assert not engine.passing
    assert (engine.memory_mib or 0) >= 4096


def test_what_our_own_workloads_reserve_is_stated_whole(parts: list[Reserved]) -> None:
    ours = [part for part in parts if ":" not in part.part]
    assert [part.part for part in ours if not part.memory_mib or not part.cpu_millicores] == []


def made(part: str, memory_mib: float | None, *, passing: bool = False) -> Reserved:
    return Reserved(
        room="chat", part=part, replicas=1, memory_mib=memory_mib, cpu_millicores=memory_mib, passing=passing
    )


def test_the_report_says_what_is_too_much_and_what_is_unknown() -> None:
    text = "\n".join(budget.report([made("engine", 23 * 1024), made("chart", None), made("job", 99, passing=True)]))
    assert "**23.0 GiB**" in text
    assert "**1.0 GiB too much**" in text
    assert "not in the sum: chart" in text
    assert "| chat | job (now and then) | 1 | 99 | 99 |" in text
    assert "| chat | chart | 1 | not stated | not stated |" in text


@pytest.mark.parametrize(("build_mib", "says"), [(1024, "| builder | 1024 | yes |"), (1536, "| 1536 | **no: it")])
def test_a_build_with_a_rollout_beside_it_is_compared_with_what_is_left(build_mib: int, says: str) -> None:
    assert says in "\n".join(budget.verdict([made("engine", 20 * 1024)], {"builder": build_mib}, rollout=1024))
    assert "pipelines" not in "\n".join(budget.verdict([made("engine", 1024)]))


@pytest.mark.parametrize("label", ["builder", "tests"])
def test_a_commit_is_built_and_tested_while_the_one_before_it_rolls_out(parts: list[Reserved], label: str) -> None:
    """A canary that finds no room for its pod counts as failed after ten minutes, and its tag is refused."""
    stack = declared("wsl").stack
    its = budget.pipelines_mib(stack)[label]
    assert stack.ci.builder
    assert its > stack.ci.builder.memory_mib if label == "builder" else its > 2048
    assert its + budget.rollout_mib(stack) <= budget.left_mib(parts)
