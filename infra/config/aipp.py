"""The vendor's package AIPP: eight services beside the chat."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.config.aipp_services import (
    BackendConfig,
    DataProcessorConfig,
    FrontConfig,
    LinkerConfig,
    SchedulerConfig,
    ServiceConfig,
)
from infra.config.types import DnsLabel, Gib, HostName, Identifier, Image, Mib, Millicores, Section, UrlPath, VaultPath

DATABASE_PASSWORD, REDIS_PASSWORD, QUEUE_PASSWORD = "aippDatabasePassword", "aippRedisPassword", "aippQueuePassword"
STORE_OF_SECRET = {DATABASE_PASSWORD: "pgvector", REDIS_PASSWORD: "redis", QUEUE_PASSWORD: "rabbitmq"}
STORE_SECRETS = tuple(STORE_OF_SECRET)
"""Secrets that the stores have, and with them every stack; a stack with Vault may name others that lie there."""


class PgvectorConfig(Section):
    """PostgreSQL with the extension `vector`."""

    image: Image
    """The extension's own image, e.g. ``pgvector/pgvector:0.8.1-pg17``."""
    database: Identifier = "aipp"
    """Database that the services share."""
    user: Identifier = "aipp"
    """Account of the services; it owns the database."""
    volume: DnsLabel = "pgvector-data"
    """Name of its claim. Another one begins empty and leaves the old as it is: a major's way, see docs/upgrades.md."""
    storage_gib: Gib = 20
    cpu_millicores: Millicores = 2000
    memory_mib: Annotated[int, Field(ge=512, le=4194304, strict=True)] = 2048
    """Memory, reserved whole; a quarter of it are PostgreSQL's shared buffers, an eighth is /dev/shm."""


class AippRedisConfig(Section):
    """The services' own Redis; the chat's is another."""

    image: Image
    storage_gib: Gib = 2
    memory_mib: Mib = 512
    """Memory; three quarters of it are Redis' maxmemory."""


class RabbitMqConfig(Section):
    """The queue between the services."""

    image: Image
    """RabbitMQ 3.13 with the management plugin, e.g. ``library/rabbitmq:3.13.7-management``."""
    user: Identifier = "aipp"
    """Account of the services, and of people at the management page."""
    host: HostName | None = None
    """Host name of the management page; absent: `kubectl port-forward` only."""
    storage_gib: Gib = 5
    cpu_millicores: Millicores = 1000
    memory_mib: Annotated[int, Field(ge=256, le=4194304, strict=True)] = 1024
    """Memory, reserved whole; publishers are held back from six tenths of it."""


class AippConfig(Section):
    """The eight services; what they need of one another stands in `infra/aipp/plan.py`."""

    namespace: DnsLabel = "aipp"
    delivery: Literal["pulumi", "argocd"] = "pulumi"
    """Who rolls the services out: this program, or Argo CD from the tree that `make render` writes."""
    host: HostName
    """Host name under which people open the front end."""
    api_path: UrlPath = "/api"
    """Path below it, with all below that, which the backend answers; the rest is the front end's."""
    vault_path: VaultPath = "aipp"
    """Where Vault has the secrets, below the store's mount: an entry for each store, and ``services`` for what the
    vendor's five name besides; their properties are named like our secret keys."""
    secrets_by: Literal["externalSecrets", "agent"] = "externalSecrets"
    """Who brings secrets from Vault to the pods: External Secrets, as Secrets of the cluster; or Vault's own agent, as
    files that its injector adds to a pod, so that no Secret holds them. It needs ``secrets.vault.access``."""
    move_after_seconds: Annotated[int, Field(ge=0, le=3600, strict=True)] = 60
    """After a node went silent, its pods are made anew elsewhere; Kubernetes' own default is 300. docs/aipp.md says
    which services move then, and what their volumes need for it."""
    pull_secret: DnsLabel | None = None
    """Secret in the namespace with which nodes pull the images, e.g. ``gitlab-registry`` for images that come from the
    vendor's registry itself. Made here where `registry.vendor` names an account, else by others; absent: that of
    `registry.harbor` or `registry.username`, or none."""
    pgvector: PgvectorConfig
    redis: AippRedisConfig
    rabbitmq: RabbitMqConfig
    front: FrontConfig
    backend: BackendConfig
    data_processor: DataProcessorConfig
    linker: LinkerConfig
    scheduler: SchedulerConfig

    def services(self) -> dict[str, ServiceConfig]:
        """Return field as in YAML -> section of each of the vendor's five."""
        return {
            "front": self.front,
            "backend": self.backend,
            "dataProcessor": self.data_processor,
            "linker": self.linker,
            "scheduler": self.scheduler,
        }

    def vault_paths(self) -> dict[str, str]:
        """Return key of a secret -> where Vault has it, for every secret of the package."""
        named = {key for service in self.services().values() for key in service.secret_environment.values()}
        subjects = dict.fromkeys(sorted(named), "services") | STORE_OF_SECRET
        return {key: f"{self.vault_path}/{subject}" for key, subject in subjects.items()}

    def foreign_secrets(self) -> list[str]:
        """Return where a secret is named that the stores do not have: only Vault can hold it."""
        return [
            f"aipp.{field}.secretEnvironment.{variable}"
            for field, service in self.services().items()
            for variable, key in service.secret_environment.items()
            if key not in STORE_SECRETS
        ]

    @model_validator(mode="after")
    def _agent_writes_files_only(self) -> "AippConfig":
        variables = [f"{field}.secretEnvironment" for field, its in self.services().items() if its.secret_environment]
        if self.secrets_by == "agent" and variables:
            raise ValueError(
                f"secretsBy is agent, which writes files, but {', '.join(variables)} takes variables from a Secret: "
                "have the image read a file, or leave secretsBy out"
            )
        return self

    @model_validator(mode="after")
    def _front_end_keeps_the_rest(self) -> "AippConfig":
        if self.api_path == "/":
            raise ValueError("apiPath must be a path below /, e.g. /api: the front end answers the rest")
        return self
