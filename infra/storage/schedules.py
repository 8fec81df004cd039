"""Snapshots and backups of this stack's volumes by a Longhorn that is the cluster's.

A group of our own and not ``default``: that one is every volume of the cluster that says nothing else, and whose it is
to say when those are copied.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import (
    ComponentResource,
    ResourceOptions,
    ResourceTransformation,
    ResourceTransformationArgs,
    ResourceTransformationResult,
)

from infra.cluster import PROJECT, labels
from infra.config import StackConfig
from infra.storage.recurring import RecurringJob, declare_job

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
SOURCE = "recurring-job.longhorn.io/source"
"""Label of a claim: Longhorn takes over its other labels to the volume, and no longer those that the volume had."""
GROUP = "recurring-job-group.longhorn.io"
"""Begin of the label that puts a volume into a group."""


def group(stack_name: str) -> str:
    """Return the group of a stack's volumes; its jobs are named after it, too."""
    return f"{PROJECT}-{stack_name}"


@dataclass(frozen=True, kw_only=True)
class SchedulesArgs:
    """What :class:`Schedules` needs from its caller."""

    namespace: str
    """Namespace of the cluster's Longhorn."""
    group: str
    """Group of the volumes."""
    jobs: tuple[RecurringJob, ...]
    """What is done to them."""


class Schedules(ComponentResource):
    """The jobs; the volumes are those whose claims carry the group's label."""

    def __init__(self, name: str, args: SchedulesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:storage:Schedules", name, {}, opts)
        for job in args.jobs:
            declare_job(
                job,
                resource=f"{name}-{job.task}",
                namespace=args.namespace,
                labels=labels("storage", name),
                group=args.group,
                options=ResourceOptions(parent=self),
            )
        self.register_outputs({})


def scheduled(stack: StackConfig, options: ResourceOptions) -> ResourceOptions:
    """Return ``options`` with what puts every claim into the stack's group, where the stack has one."""
    if not stack.storage.schedules:
        return options
    into_group = ResourceOptions(transformations=[_into(group(pulumi.get_stack()))])
    return ResourceOptions.merge(options, into_group)


def _into(its_group: str) -> ResourceTransformation:
    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if args.type_ != CLAIM:
            return None
        metadata: Any = args.props["metadata"]
        told = {**metadata["labels"], SOURCE: "enabled", f"{GROUP}/{its_group}": "enabled"}
        return ResourceTransformationResult(
            props={**args.props, "metadata": {**metadata, "labels": told}}, opts=args.opts
        )

    return transform
