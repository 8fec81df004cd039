"""Snapshots and backups by a Longhorn that is the cluster's: this stack's volumes, every one of them, and no others."""

from typing import Any

import pytest

from infra.gitops import declare_workload
from infra.program import deploy
from infra.recorder import Recording, record
from infra.stackfile import configuration, placeholder_secrets
from infra.storage.schedules import GROUP, SOURCE
from tests.infra.support import of_kind


def of_dev(schedules: dict[str, Any] | None, program: Any = declare_workload) -> Recording:
    config = configuration("dev")
    config["aihub:storage"] = {"class": "longhorn", **({"schedules": schedules} if schedules is not None else {})}
    return record(program, stack="dev", config=config, secrets=placeholder_secrets())


@pytest.fixture(scope="module")
def scheduled() -> Recording:
    return of_dev({"backups": {"kept": 14}})


def test_every_claim_of_the_stack_is_in_its_group(scheduled: Recording) -> None:
    claims = of_kind(scheduled, "PersistentVolumeClaim")
    assert {claim.namespace for claim in claims} >= {"aipp", "aihub-data"}
    for claim in claims:
        told = claim.properties["metadata"]["labels"]
        # Without the first label Longhorn does not look at the second.
        assert (told[SOURCE], told[f"{GROUP}/aihub-dev"]) == ("enabled", "enabled"), claim.object_name
        assert told["app.kubernetes.io/part-of"] == "aihub"


def test_jobs_are_for_that_group_alone_in_the_namespace_of_longhorn(scheduled: Recording) -> None:
    jobs = of_kind(scheduled, "RecurringJob")
    assert {(job.object_name, job.properties["spec"]["task"], job.properties["spec"]["retain"]) for job in jobs} == {
        ("aihub-dev-snapshots", "snapshot", 24),
        ("aihub-dev-backups", "backup", 14),
    }
    assert {job.namespace for job in jobs} == {"longhorn-system"}
    assert all(job.properties["spec"]["groups"] == ["aihub-dev"] for job in jobs)


def test_claims_keep_their_name_and_their_place_in_the_state(scheduled: Recording) -> None:
    def named(recording: Recording) -> set[tuple[str, bool]]:
        return {(claim.urn, claim.retained) for claim in of_kind(recording, "PersistentVolumeClaim")}

    assert named(scheduled) == named(of_dev(None))


def test_jobs_are_pulumis_where_argo_cd_delivers_the_claims() -> None:
    assert len(of_kind(of_dev({"backups": {}}, deploy), "RecurringJob")) == 2


def test_nothing_is_said_to_longhorn_unless_it_is_asked_for() -> None:
    plain = of_dev(None)
    assert not of_kind(plain, "RecurringJob")
    assert not any(SOURCE in each.properties["metadata"]["labels"] for each in of_kind(plain, "PersistentVolumeClaim"))
