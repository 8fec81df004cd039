"""A volume that would shrink, or that nothing can grow, is named before anything changes."""

from typing import Any

import pytest

from infra.recorder import Recorded
from ops.machine import demand
from ops.preflight import sizes
from tests.ops.preflight_machine import Answers, resource, stack


def claim(storage: str) -> Recorded:
    return resource("PersistentVolumeClaim", "redis-data", spec={"resources": {"requests": {"storage": storage}}})


def machine(storage: str, *, expands: bool) -> Answers:
    there: dict[str, Any] = {
        "metadata": {"name": "redis-data", "namespace": "chat"},
        "spec": {"storageClassName": "folders", "resources": {"requests": {"storage": storage}}},
    }
    classes = [{"metadata": {"name": "folders"}, "allowVolumeExpansion": expands}]
    return Answers(cluster={"persistentvolumeclaims": [there], "storageclasses": classes})


@pytest.mark.parametrize(
    ("there", "declared", "expands", "says"),
    [
        ("5Gi", "5Gi", False, ""),
        ("5120Mi", "5Gi", False, ""),
        ("5Gi", "8Gi", True, ""),
        ("5Gi", "2Gi", True, "5Gi is there and 2Gi is declared"),
        ("1Ti", "999Gi", True, "1Ti is there and 999Gi is declared"),
        ("5Gi", "8Gi", False, "StorageClass folders cannot grow volumes"),
    ],
)
def test_sizes(there: str, declared: str, expands: bool, says: str) -> None:
    (finding,) = sizes.looks(machine(there, expands=expands), stack(claim(declared)))
    assert finding.ok is (says == "")
    assert says in finding.says
    if says:
        assert finding.name == "volume chat/redis-data"
        assert "storageGib in Pulumi.test.yaml" in finding.fix


def test_the_refusal_names_volume_and_fix() -> None:
    with pytest.raises(
        Exception, match=r"(?s)volume chat/redis-data: 5Gi is there.*set its storageGib .* to 5 or more"
    ):
        demand(sizes.looks(machine("5Gi", expands=True), stack(claim("2Gi"))))


@pytest.mark.parametrize("machine", [Answers(), Answers(cluster={})])
def test_what_is_not_there_yet_gets_any_size(machine: Answers) -> None:
    assert all(finding.ok for finding in sizes.looks(machine, stack(claim("2Gi"))))
