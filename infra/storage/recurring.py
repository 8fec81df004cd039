"""What Longhorn does to volumes again and again: snapshots and backups, of our own Longhorn or the cluster's."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import Input, ResourceOptions

from infra.config.storage import BackupTimesConfig, SnapshotsConfig


@dataclass(frozen=True, kw_only=True)
class RecurringJob:
    """Something that Longhorn does to every volume of a group, again and again."""

    name: str
    """Name of the RecurringJob."""
    task: str
    """``snapshot`` or ``backup``."""
    schedule: str
    """Cron schedule."""
    kept: int
    """How many are kept of each volume."""


def jobs(
    snapshots: SnapshotsConfig | None, backups: BackupTimesConfig | None, prefix: str = ""
) -> tuple[RecurringJob, ...]:
    """Return the jobs of a configuration; their names begin with ``prefix``."""
    named = {"snapshot": snapshots, "backup": backups}
    return tuple(
        RecurringJob(name=f"{prefix}{task}s", task=task, schedule=its.schedule, kept=its.kept)
        for task, its in named.items()
        if its
    )


def declare_job(
    job: RecurringJob,
    *,
    resource: str,
    namespace: Input[str],
    labels: Mapping[str, Input[str]],
    group: str,
    options: ResourceOptions,
) -> None:
    """Declare a RecurringJob for the volumes of a group; Longhorn's manager makes a CronJob of it.

    Args:
        job: what is done, and when.
        resource: its name for Pulumi.
        namespace: Longhorn's own.
        labels: of the object.
        group: which volumes it is done to; ``default``: those that name no group and no job.
        options: of the object.
    """
    k8s.apiextensions.CustomResource(
        resource,
        api_version="longhorn.io/v1beta2",
        kind="RecurringJob",
        metadata={"name": job.name, "namespace": namespace, "labels": labels},
        spec={
            "name": job.name,
            "task": job.task,
            "cron": job.schedule,
            "retain": job.kept,
            "concurrency": 1,
            "groups": [group],
        },
        opts=options,
    )
