"""What every pod shares."""

import pytest
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from infra.recorder import record
from infra.workload import Settings, SettingsArgs, content_hash, pod_spec, resources
from tests.infra.support import only


def settings_name(content: str) -> str:
    args = SettingsArgs(namespace="chat", labels={}, data={"file": content})
    return str(only(record(lambda: Settings("some", args), stack="test"), "ConfigMap")["metadata"]["name"])


def test_changed_settings_are_another_object() -> None:
    assert settings_name("a") == settings_name("a")
    assert settings_name("a") != settings_name("b")


def test_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert content_hash({"a": "1", "b": "2"}) == content_hash({"b": "2", "a": "1"})
    assert content_hash({"a": "1", "b": "2"}) != content_hash({"a": "12", "b": ""})


def test_gpus_are_asked_for_in_both_bounds_and_only_where_there_are_any() -> None:
    with_gpu = resources(cpu_millicores=2000, memory_mib=64, gpu_count=2)
    assert with_gpu == {
        "requests": {"cpu": "200m", "memory": "64Mi", "nvidia.com/gpu": "2"},
        "limits": {"cpu": "2000m", "memory": "64Mi", "nvidia.com/gpu": "2"},
    }
    assert "nvidia.com/gpu" not in str(resources(cpu_millicores=2000, memory_mib=64))


def test_every_container_gets_a_temporary_folder_and_keeps_its_mounts() -> None:
    containers: list[ContainerArgsDict] = [
        {"name": "one", "volume_mounts": [{"name": "data", "mount_path": "/data"}]},
        {"name": "two"},
    ]
    spec = pod_spec(service_account="some", containers=containers)
    paths = [[mount["mount_path"] for mount in container["volume_mounts"]] for container in spec["containers"]]  # type: ignore[index, union-attr]  # plain values here
    assert paths == [["/data", "/tmp"], ["/tmp"]]


def test_mounts_that_cannot_be_added_to_are_refused() -> None:
    with pytest.raises(TypeError, match="'one': volume_mounts must be a list"):
        pod_spec(service_account="some", containers=[{"name": "one", "volume_mounts": ()}])
