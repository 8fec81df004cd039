"""Longhorn's release: sized for one node, never uninstalled by accident, and what it does by schedule."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.config.storage import LonghornConfig
from infra.recorder import Recording, record
from infra.storage.longhorn import Longhorn, LonghornArgs, protection, values
from infra.storage.recurring import RecurringJob
from tests.infra.support import of_kind, only

JOBS = (
    RecurringJob(name="snapshots", task="snapshot", schedule="0 * * * *", kept=24),
    RecurringJob(name="backups", task="backup", schedule="0 2 * * *", kept=7),
)


def args(**changes: Any) -> LonghornArgs:
    whole: dict[str, Any] = {
        "namespace": "longhorn-system",
        "data_path": "/var/lib/longhorn",
        "replicas": 1,
        "removable": False,
        "node_down": "delete-both-statefulset-and-deployment-pod",
        "jobs": JOBS,
        **changes,
    }
    return LonghornArgs(**whole)


def declared(**changes: Any) -> Recording:
    return record(lambda: Longhorn("longhorn", args(**changes)), stack="test")


def test_copies_are_a_json_string_per_engine() -> None:
    settings = values(args(replicas=2))["defaultSettings"]
    assert json.loads(settings["defaultReplicaCount"]) == {"v1": "2", "v2": "2"}
    assert values(args(replicas=2))["persistence"]["defaultClassReplicaCount"] == 2


@pytest.mark.parametrize(("removable", "flag"), [(False, "false"), (True, "true")])
def test_uninstalling_goes_through_only_where_it_is_allowed(removable: bool, flag: str) -> None:
    assert values(args(removable=removable))["defaultSettings"]["deletingConfirmationFlag"] == flag
    assert bool(protection(removable).protect) is not removable


def test_pods_of_a_dead_node_are_given_up_unless_a_field_says_otherwise() -> None:
    config = LonghornConfig()
    chosen = values(args(node_down=config.node_down_pod_deletion_policy))["defaultSettings"]
    assert chosen["nodeDownPodDeletionPolicy"] == "delete-both-statefulset-and-deployment-pod"
    left = LonghornConfig.model_validate({"nodeDownPodDeletionPolicy": "do-nothing"})
    assert left.node_down_pod_deletion_policy == "do-nothing"


def test_what_it_does_by_schedule_it_does_to_every_volume() -> None:
    jobs = [job.properties for job in of_kind(declared(), "RecurringJob")]
    assert {(job["spec"]["task"], job["spec"]["cron"], job["spec"]["retain"]) for job in jobs} == {
        ("snapshot", "0 * * * *", 24),
        ("backup", "0 2 * * *", 7),
    }
    assert all(job["spec"]["groups"] == ["default"] for job in jobs)
    assert all(job["metadata"]["name"] == job["spec"]["name"] for job in jobs)
    # The chart brings the kind, so a job must wait for the release.
    (release,) = [each.urn for each in declared().resources if each.type.endswith(":Release")]
    assert all(release in job.depends_on for job in of_kind(declared(), "RecurringJob"))


def test_backups_name_a_secret_and_hold_none() -> None:
    store = values(args(backup_target="s3://b@r/", backup_secret="account"))["defaultBackupStore"]
    assert store == {"backupTarget": "s3://b@r/", "backupTargetCredentialSecret": "account"}
    assert "backupTargetCredentialSecret" not in values(args(backup_target="nfs://nas:/b"))["defaultBackupStore"]
    assert "defaultBackupStore" not in values(args())


def test_its_own_traffic_is_allowed_within_the_namespace_only() -> None:
    spec = only(declared(), "NetworkPolicy")["spec"]
    peers = [*spec["ingress"][0]["from"], *spec["egress"][0]["to"]]
    assert peers == [{"podSelector": {}}] * 2


def test_chart_knows_every_value() -> None:
    folder = Path(os.environ.get("CHARTS_DIR", "")) / "longhorn"
    if not os.environ.get("CHARTS_DIR") or not folder.is_dir():
        pytest.skip("chart longhorn: set CHARTS_DIR to a folder with longhorn/values.yaml")
    from tests.stacks.test_charts import unknown_keys

    whole = values(args(backup_target="s3://b@r/", backup_secret="account"))
    assert list(unknown_keys(whole, yaml.safe_load((folder / "values.yaml").read_text()))) == []
