"""enai-linker: links texts by a model on a GPU."""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml
from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.aipp import steps
from infra.aipp.names import PASSWORD_FILES, PGVECTOR, RABBITMQ, SECRETS_FOLDER, STORE_PORTS
from infra.aipp.place import Place
from infra.aipp.workload import FILES_FOLDER, Workload, WorkloadArgs
from infra.config.aipp_services import LinkerConfig

CONFIG_FILE = "linker.yaml"


@dataclass(frozen=True, kw_only=True)
class LinkerArgs:
    """What a :class:`Linker` needs from its caller."""

    place: Place
    """Where it runs, and whom it finds there."""
    config: LinkerConfig
    """Its section of the configuration; it asks for at least one GPU."""
    runtime_class: str | None = None
    """RuntimeClass that gives a container the GPU; absent: the node's default runtime does."""


class Linker(ComponentResource):
    """One pod on a card of its own, replaced after its end: a second would find no card free."""

    url: Output[str]
    """Base URL inside the cluster."""

    def __init__(self, name: str, args: LinkerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:Linker", name, {}, opts)
        config = args.config
        workload = Workload(
            name,
            WorkloadArgs(
                place=args.place,
                config=config,
                steps=tuple(steps.waits(name, args.place)),
                environment=_environment(name, args.place, config),
                files={CONFIG_FILE: configuration(config)},
                startup_minutes=config.startup_minutes,
                gpu_count=config.gpu_count,
                runtime_class=args.runtime_class,
                shared_memory_mib=config.shared_memory_mib,
            ),
            opts=ResourceOptions(parent=self),
        )
        self.url = workload.url
        self.register_outputs({"url": self.url})


def configuration(config: LinkerConfig) -> str:
    """Return ``linker.yaml``: what depends on the card."""
    return yaml.safe_dump({"card": config.card, **config.tuning, "batch_size": int(config.tuning["batch_size"])})


def _environment(name: str, place: Place, config: LinkerConfig) -> Mapping[str, Input[str]]:
    database, queue = place.package.pgvector, place.package.rabbitmq
    return {
        "PORT": str(config.port),
        "LINKER_CONFIG": f"{FILES_FOLDER}/{CONFIG_FILE}",
        **{f"LINKER_{key.upper()}": value for key, value in config.tuning.items()},
        "PGHOST": place.hosts[PGVECTOR],
        "PGPORT": str(STORE_PORTS[PGVECTOR]),
        "PGUSER": database.user,
        "PGDATABASE": database.database,
        # The name tells whose session it is: see steps/release_lock.sh.
        "PGAPPNAME": name,
        "DATABASE_PASSWORD_FILE": f"{SECRETS_FOLDER}/{PASSWORD_FILES[PGVECTOR]}",
        "RABBITMQ_HOST": place.hosts[RABBITMQ],
        "RABBITMQ_PORT": str(STORE_PORTS[RABBITMQ]),
        "RABBITMQ_USER": queue.user,
        "RABBITMQ_PASSWORD_FILE": f"{SECRETS_FOLDER}/{PASSWORD_FILES[RABBITMQ]}",
        # Freed pieces are joined again instead of lying about until no large one is left.
        "PYTORCH_ALLOC_CONF": "expandable_segments:True",
    }
