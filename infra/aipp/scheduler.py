"""enai-scheduler: starts work at given times, and must never run twice at once."""

from dataclasses import dataclass

from pulumi import ComponentResource, Output, ResourceOptions

from infra.aipp import steps
from infra.aipp.place import Place
from infra.aipp.spring import spring_environment
from infra.aipp.workload import Workload, WorkloadArgs
from infra.cluster import labels
from infra.config.aipp_services import SchedulerConfig
from infra.storage.volume import Volume, VolumeArgs


@dataclass(frozen=True, kw_only=True)
class SchedulerArgs:
    """What a :class:`Scheduler` needs from its caller."""

    place: Place
    """Where it runs, and whom it finds there."""
    config: SchedulerConfig
    """Its section of the configuration."""


class Scheduler(ComponentResource):
    """One pod, never two.

    `Recreate` ends the old one before the new one begins, except on a node that has gone silent: there the old pod is
    given up while it may still run. So it mounts a claim that the whole cluster lets one pod have (ReadWriteOncePod):
    the next pod waits until the old one is known to be gone.
    """

    url: Output[str]
    """Base URL inside the cluster."""

    def __init__(self, name: str, args: SchedulerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:Scheduler", name, {}, opts)
        child = ResourceOptions(parent=self)
        claim = _claim(name, args, child) if args.config.exclusive_volume else None
        workload = Workload(
            name,
            WorkloadArgs(
                place=args.place,
                config=args.config,
                steps=tuple(steps.waits(name, args.place)),
                environment={**spring_environment(name, args.place, args.config), "SPRING_LIQUIBASE_ENABLED": "false"},
                exclusive_claim=claim,
            ),
            opts=child,
        )
        self.url = workload.url
        self.register_outputs({"url": self.url})


def _claim(name: str, args: SchedulerArgs, child: ResourceOptions) -> Output[str]:
    volume = Volume(
        f"{name}-exclusive",
        VolumeArgs(
            namespace=args.place.namespace,
            labels=labels("aipp", name),
            storage_class=args.place.storage_class,
            storage_gib=1,
            access_mode="ReadWriteOncePod",
        ),
        opts=child,
    )
    return volume.claim
