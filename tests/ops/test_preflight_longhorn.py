"""A Longhorn of the cluster's: backups that go nowhere are refused, and who must act when a node dies is said."""

from typing import Any

import pytest

from ops.preflight import longhorn
from tests.ops.preflight_machine import Answers, stack

SCHEDULED = stack(storage={"class": "longhorn", "schedules": {"backups": {}}})


def target(url: str, available: bool) -> dict[str, Any]:
    return {"spec": {"backupTargetURL": url}, "status": {"available": available}}


def setting(value: str) -> dict[str, Any]:
    return {"metadata": {"name": longhorn.SETTING}, "value": value}


@pytest.mark.parametrize(
    ("targets", "ok", "says"),
    [
        ([target("s3://b@eu/", True)], True, "to s3://b@eu/"),
        ([target("", False)], False, "none of its backup targets is available"),
        ([], False, "none of its backup targets is available"),
    ],
)
def test_backups_need_a_target_that_answers(targets: list[dict[str, Any]], ok: bool, says: str) -> None:
    found = longhorn.looks(Answers(cluster={"backuptargets.longhorn.io": targets}), SCHEDULED)
    assert (found[-1].name, found[-1].ok) == ("Longhorn, backups", ok)
    assert says in found[-1].says
    assert ok or "storage.schedules.backups" in found[-1].fix


def test_where_there_are_no_backups_none_need_a_target() -> None:
    snapshots = stack(storage={"class": "longhorn", "schedules": {}})
    assert [each.name for each in longhorn.looks(Answers(cluster={}), snapshots)] == ["Longhorn, a node down"]


@pytest.mark.parametrize(
    ("settings", "waits"),
    [([setting(longhorn.GIVES_UP)], False), ([setting("do-nothing")], True), ([], True)],
)
def test_who_must_act_when_a_node_dies_is_said(settings: list[dict[str, Any]], waits: bool) -> None:
    finding = longhorn.looks(Answers(cluster={"settings.longhorn.io": settings}), SCHEDULED)[0]
    assert finding.ok
    assert ("until a person acts" in finding.says) is waits


def test_nothing_is_said_without_a_cluster_or_without_schedules() -> None:
    assert longhorn.looks(Answers(cluster=None), SCHEDULED) == []
    assert longhorn.looks(Answers(cluster={}), stack()) == []
