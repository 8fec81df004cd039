"""enai-backend: the API, and the only one that changes the database's tables."""

from dataclasses import dataclass

from pulumi import ComponentResource, Output, ResourceOptions

from infra.aipp import steps
from infra.aipp.place import Place
from infra.aipp.spring import spring_environment
from infra.aipp.workload import Workload, WorkloadArgs
from infra.config.aipp_services import BackendConfig


@dataclass(frozen=True, kw_only=True)
class BackendArgs:
    """What a :class:`Backend` needs from its caller."""

    place: Place
    """Where it runs, and whom it finds there."""
    config: BackendConfig
    """Its section of the configuration."""


class Backend(ComponentResource):
    """One pod, replaced after its end: two would migrate the database at once."""

    url: Output[str]
    """Base URL inside the cluster; known once the tables are there."""

    def __init__(self, name: str, args: BackendArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:Backend", name, {}, opts)
        workload = Workload(
            name,
            WorkloadArgs(
                place=args.place,
                config=args.config,
                steps=(*steps.waits(name, args.place), steps.release_lock(args.place), steps.watch_lock(args.place)),
                environment={**spring_environment(name, args.place, args.config), "SPRING_LIQUIBASE_ENABLED": "true"},
                startup_minutes=args.config.startup_minutes,
            ),
            opts=ResourceOptions(parent=self),
        )
        self.url = workload.url
        self.register_outputs({"url": self.url})
