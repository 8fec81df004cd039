"""Who asks for NVIDIA's cards in a cluster, and how many its nodes offer: looked at before `make up`, and by verify."""

from collections.abc import Collection, Mapping
from typing import Any

RESOURCE = "nvidia.com/gpu"


def offered(nodes: Mapping[str, Any]) -> dict[str, int]:
    """Return node -> cards that it offers to pods, from what the API server lists."""
    return {
        item["metadata"]["name"]: int(item["status"].get("allocatable", {}).get(RESOURCE, 0)) for item in nodes["items"]
    }


def askers(pods: Mapping[str, Any]) -> dict[str, int]:
    """Return ``namespace/pod`` -> cards that it asks for, of the pods that run or are to run."""
    there = [item for item in pods["items"] if item["status"].get("phase") not in {"Succeeded", "Failed"}]
    asked = {f"{item['metadata']['namespace']}/{item['metadata']['name']}": _asked(item["spec"]) for item in there}
    return {name: number for name, number in asked.items() if number}


def of_others(asked: Mapping[str, int], namespaces: Collection[str]) -> dict[str, int]:
    """Return those of :func:`askers` that are in none of these namespaces."""
    return {pod: number for pod, number in asked.items() if pod.partition("/")[0] not in namespaces}


def told(asked: Mapping[str, int]) -> str:
    """Return who asks for how many, e.g. ``aipp.linker.gpuCount 1, chat.engine.gpuCount 1``."""
    return ", ".join(f"{who} {number}" for who, number in sorted(asked.items()))


def _asked(pod: Mapping[str, Any]) -> int:
    limits = [container.get("resources", {}).get("limits", {}) for container in pod.get("containers", ())]
    return sum(int(each.get(RESOURCE, 0)) for each in limits)
