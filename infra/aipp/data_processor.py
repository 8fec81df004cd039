"""enai-data-processor: collects catalogues; the vendor's image is called catalog-collector."""

from dataclasses import dataclass

from pulumi import ComponentResource, Output, ResourceOptions

from infra.aipp import steps
from infra.aipp.place import Place
from infra.aipp.spring import spring_environment
from infra.aipp.workload import Workload, WorkloadArgs
from infra.config.aipp_services import DataProcessorConfig


@dataclass(frozen=True, kw_only=True)
class DataProcessorArgs:
    """What a :class:`DataProcessor` needs from its caller."""

    place: Place
    """Where it runs, and whom it finds there."""
    config: DataProcessorConfig
    """Its section of the configuration."""


class DataProcessor(ComponentResource):
    """One pod; it leaves the tables to the backend."""

    url: Output[str]
    """Base URL inside the cluster."""

    def __init__(self, name: str, args: DataProcessorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:DataProcessor", name, {}, opts)
        workload = Workload(
            name,
            WorkloadArgs(
                place=args.place,
                config=args.config,
                steps=tuple(steps.waits(name, args.place)),
                environment={**spring_environment(name, args.place, args.config), "SPRING_LIQUIBASE_ENABLED": "false"},
            ),
            opts=ResourceOptions(parent=self),
        )
        self.url = workload.url
        self.register_outputs({"url": self.url})
