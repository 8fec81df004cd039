"""The device plugin's values: which nodes, how a card is shared, and no privilege that it does not need."""

from typing import Any

import pytest
import yaml

from infra.config.gpu import GpuConfig
from infra.gpu.device_plugin import DevicePlugin, DevicePluginArgs, sharing, values
from infra.gpu.runtime import Runtime, RuntimeArgs
from infra.recorder import record
from tests.infra.support import only


def args(**changes: Any) -> DevicePluginArgs:
    whole: dict[str, Any] = {"namespace": "gpu", "runtime_class": "nvidia", "on_all_nodes": False, **changes}
    return DevicePluginArgs(**whole)


def test_a_card_is_shared_as_stated() -> None:
    given = values(args(shares=4, refuse_several=False))["config"]
    assert yaml.safe_load(given["map"][given["default"]]) == {
        "version": "v1",
        "sharing": {
            "timeSlicing": {
                "failRequestsGreaterThanOne": False,
                "resources": [{"name": "nvidia.com/gpu", "replicas": 4}],
            }
        },
    }
    assert yaml.safe_load(sharing(args(shares=2)))["sharing"]["timeSlicing"]["failRequestsGreaterThanOne"] is True


def test_a_card_of_its_own_needs_no_configuration_file() -> None:
    assert "config" not in values(args())


def test_it_asks_for_no_privilege_even_where_a_card_is_shared() -> None:
    """The chart adds SYS_ADMIN unless it is told that no card is split and nothing is passed by mounts."""
    given = values(args(shares=4))
    assert (given["migStrategy"], given["deviceListStrategy"]) == ("none", "envvar")


def test_it_runs_where_a_label_says_or_everywhere() -> None:
    assert "affinity" not in values(args())
    node_affinity = values(args(on_all_nodes=True))["affinity"]["nodeAffinity"]
    (term,) = node_affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [each["key"] for each in term["matchExpressions"]] == ["kubernetes.io/os"]


def test_its_pods_use_the_class_that_is_declared_before_them() -> None:
    def program() -> None:
        runtime = Runtime("gpu-runtime", RuntimeArgs(handler="nvidia"))
        DevicePlugin("device-plugin", args(runtime_class=runtime.runtime_class))

    recording = record(program, stack="test")
    made = only(recording, "RuntimeClass")
    assert (made["metadata"]["name"], made["handler"]) == ("nvidia", "nvidia")
    (release,) = [each for each in recording.resources if each.type.endswith(":Release")]
    assert release.properties["values"]["runtimeClassName"] == "nvidia"


@pytest.mark.parametrize(
    ("gpu", "gpu_count", "expected"),
    [({"count": 1}, 1, "nvidia"), ({"count": 1}, 0, None), ({}, 1, None), ({"count": 0}, 0, None)],
)
def test_a_pod_gets_the_class_only_where_it_asks_for_a_card_that_is_set_up(
    gpu: dict[str, Any], gpu_count: int, expected: str | None
) -> None:
    assert GpuConfig.model_validate(gpu).runtime_for(gpu_count) == expected


def test_shares_of_all_users_of_a_card_are_added() -> None:
    gpu = GpuConfig.model_validate({"count": 1, "memoryGib": 16, "sharing": {"replicas": 2}})
    assert gpu.memory_trouble({"a": 10, "b": 6}) is None
    assert "a + b is 17 GiB" in str(gpu.memory_trouble({"a": 11, "b": 6}))
    assert "set b" in str(gpu.memory_trouble({"a": 11, "b": None}))
    assert gpu.trouble({"a": 1, "b": 1}) is None
    assert "a + b + c is 3, but gpu gives 2" in str(gpu.trouble({"a": 1, "b": 1, "c": 1}))
