"""The exact piece that is missing between the card and a pod is named, and nothing that only follows from it."""

import dataclasses
from typing import Any

import pytest

from ops.preflight import gpu
from ops.preflight.reader import Ran
from tests.ops.preflight_machine import WSL, Answers, stack

CARD = Ran(0, "NVIDIA GeForce RTX 5080, 16303 MiB\n")
V2 = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]\nruntime_type = "io.containerd.runc.v2"\n'
V3 = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.nvidia]\nruntime_type = 'x'\n"


def daemonset(wanted: int, ready: int) -> dict[str, Any]:
    status = {"desiredNumberScheduled": wanted, "numberReady": ready}
    return {"metadata": {"name": "device-plugin-nvidia-device-plugin", "namespace": "gpu"}, "status": status}


def node(**allocatable: str) -> dict[str, Any]:
    offers = {"cpu": "16", **{"nvidia.com/gpu" if key == "gpu" else key: value for key, value in allocatable.items()}}
    return {"metadata": {"name": "aihub"}, "status": {"allocatable": offers}}


WHOLE = Answers(
    files={"/proc/version": WSL, "/etc/containerd/config.toml": V2},
    commands={
        "/usr/lib/wsl/lib/nvidia-smi": CARD,
        "nvidia-container-runtime": Ran(0, "NVIDIA Container Runtime version 1.17.8\ncommit: 60d3bd9\n"),
    },
    cluster={"daemonsets": [daemonset(1, 1)], "nodes": [node(gpu="4")]},
)
STACK = stack(gpu={"count": 1, "memoryGib": 16, "nodes": "all"}, chat={"exposure": {"nodePort": 31302}})


AIPP: dict[str, Any] = {
    "host": "aipp.example.com",
    "pgvector": {"image": "localhost/pgvector:0.8.1-pg17"},
    "redis": {"image": "localhost/redis:7.4.2"},
    "rabbitmq": {"image": "localhost/rabbitmq:3.13.7-management"},
    **{name: {"image": f"localhost/{name.lower()}:v1"} for name in ("front", "backend", "dataProcessor", "scheduler")},
    "linker": {"image": "localhost/linker:v1", "runtimeClass": "nvidia"},
}
NO_LINKER = {"image": "localhost/linker:v1", "gpuCount": 0}
WITH_ENGINE = {"exposure": {"nodePort": 31302}, "engine": {"gpuCount": 1}}


def asking_pod(name: str, cards: int, phase: str = "Running") -> dict[str, Any]:
    namespace, _, its = name.partition("/")
    limits = {"limits": {"cpu": "1", "nvidia.com/gpu": str(cards)}}
    return {
        "metadata": {"namespace": namespace, "name": its},
        "spec": {"containers": [{"name": "proxy"}, {"name": "it", "resources": limits}]},
        "status": {"phase": phase},
    }


def without(**changes: Any) -> Answers:
    return dataclasses.replace(WHOLE, **changes)


def test_all_pieces_in_their_order() -> None:
    found = gpu.looks(WHOLE, STACK)
    assert [finding.name for finding in found] == [
        "GPU driver",
        "container toolkit",
        "containerd runtime",
        "device plugin",
        "allocatable nvidia.com/gpu",
    ]
    assert all(finding.ok for finding in found)
    assert "aihub 4" in found[-1].says


COMMANDS = WHOLE.commands


@pytest.mark.parametrize(
    ("machine", "piece", "fix"),
    [
        (without(commands={}), "GPU driver", "in Windows (never within WSL2)"),
        (without(commands={}, files={}), "GPU driver", "on this machine, then reboot"),
        (
            without(commands={**COMMANDS, "/usr/lib/wsl/lib/nvidia-smi": Ran(255, "Failed to initialize NVML: N/A\n")}),
            "GPU driver",
            "install NVIDIA's driver",
        ),
        (
            without(commands={"/usr/lib/wsl/lib/nvidia-smi": CARD}),
            "container toolkit",
            "nvidia-container-toolkit",
        ),
        (
            without(files={"/etc/containerd/config.toml": "version = 2\n"}),
            "containerd runtime",
            "nvidia-ctk runtime configure",
        ),
        (without(files={}), "containerd runtime", "run it as root"),
        (without(files={"/etc/containerd/config.toml": "version = "}), "containerd runtime", "correct /etc/containerd"),
        (
            without(cluster={"daemonsets": [daemonset(0, 0)], "nodes": [node()]}),
            "device plugin",
            "nvidia.com/gpu.present=true",
        ),
        (
            without(cluster={"daemonsets": [daemonset(1, 0)], "nodes": [node()]}),
            "device plugin",
            "kubectl -n gpu logs daemonset/device-plugin-nvidia-device-plugin",
        ),
        (
            without(cluster={"daemonsets": [daemonset(1, 1)], "nodes": [node(gpu="0")]}),
            "allocatable nvidia.com/gpu",
            "log says why",
        ),
    ],
)
def test_the_first_missing_piece_is_the_last_that_is_named(machine: Answers, piece: str, fix: str) -> None:
    found = gpu.looks(machine, STACK)
    assert [finding.ok for finding in found] == [*[True] * (len(found) - 1), False]
    assert found[-1].name == piece
    assert fix in found[-1].fix


@pytest.mark.parametrize("text", [V2, V3])
@pytest.mark.parametrize("path", gpu.CONTAINERD_FILES)
def test_the_runtime_is_found_in_either_format_wherever_containerd_reads(path: str, text: str) -> None:
    assert gpu.containerd_runtime(Answers(files={path: text}), "nvidia").ok
    assert not gpu.containerd_runtime(Answers(files={path: text}), "nvidia-cdi").ok


def test_cards_and_memory_are_compared_with_what_the_stack_counts_on() -> None:
    assert gpu.driver(WHOLE, 1, 16).ok
    assert "1 of 2 cards" in gpu.driver(WHOLE, 2, 16).says
    small = Answers(commands={"nvidia-smi": Ran(0, "NVIDIA T4, 15360 MiB\nNVIDIA T4, 15360 MiB\n")})
    assert gpu.driver(small, 2, 15).ok
    assert "gpu.memoryGib to 15" in gpu.driver(small, 2, 16).fix


def test_a_first_up_is_not_held_up_by_a_plugin_that_it_will_install() -> None:
    found = gpu.looks(without(cluster={"nodes": [node()]}), STACK)
    assert found[-1].name == "device plugin"
    assert found[-1].ok


def test_on_somebody_elses_nodes_only_the_cluster_is_asked() -> None:
    asking = stack(chat={"exposure": {"nodePort": 31302}, "engine": {"gpuCount": 1}})
    (finding,) = gpu.looks(Answers(cluster={}), asking)
    assert (finding.name, finding.ok) == ("device plugin", False)
    assert "gpu.count" in finding.fix


def test_a_plugin_of_any_name_is_enough_where_a_node_offers_a_card() -> None:
    (finding,) = gpu.looks(Answers(cluster={"nodes": [node(gpu="1")]}), stack(chat=WITH_ENGINE))
    assert (finding.name, finding.ok) == ("allocatable nvidia.com/gpu", True)


def test_the_linker_asks_beside_the_engine() -> None:
    declared = stack(chat=WITH_ENGINE, aipp=AIPP)
    (two,) = gpu.looks(Answers(cluster={"nodes": [node(gpu="2")]}), declared)
    assert two.ok
    (one,) = gpu.looks(Answers(cluster={"nodes": [node(gpu="1")]}), declared)
    assert not one.ok
    assert "asked for: aipp.linker.gpuCount 1, chat.engine.gpuCount 1" in one.says
    assert "aipp.linker.gpuCount" in one.fix
    only_linker = stack(aipp=AIPP)
    assert not gpu.looks(Answers(cluster={"nodes": [node()]}), only_linker)[0].ok
    assert gpu.looks(Answers(cluster={"nodes": [node()]}), stack(aipp={**AIPP, "linker": NO_LINKER})) == []


def test_cards_that_others_hold_are_no_more_to_be_had_and_ours_are() -> None:
    def judged(*pods: dict[str, Any]) -> Any:
        return gpu.looks(Answers(cluster={"nodes": [node(gpu="1")], "pods": list(pods)}), stack(chat=WITH_ENGINE))[0]

    assert judged(asking_pod("chat/engine-1", 1), asking_pod("shop/done", 1, "Succeeded")).ok
    taken = judged(asking_pod("shop/training-0", 1))
    assert not taken.ok
    assert "others hold: shop/training-0 1" in taken.says


def test_who_asks_for_no_card_hears_nothing_of_one() -> None:
    assert gpu.looks(Answers(cluster={}), stack()) == []
