"""What the services keep: pgvector, a Redis of their own, RabbitMQ."""

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.aipp.names import PGVECTOR, RABBITMQ, REDIS
from infra.config.aipp import AippConfig
from infra.data.pgvector import Pgvector, PgvectorArgs
from infra.data.rabbitmq import RabbitMq, RabbitMqArgs
from infra.data.redis import Redis, RedisArgs


@dataclass(frozen=True, kw_only=True)
class Auth:
    """One store's Secret."""

    secret: Input[str]
    """Its name."""
    version: Input[str]
    """Changes with its content."""


@dataclass(frozen=True, kw_only=True)
class StoresArgs:
    """What :class:`Stores` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    config: AippConfig
    """The whole package's configuration."""
    storage_class: str
    """StorageClass of the volumes."""
    database_auth: Auth
    """With the file of `infra/data/pgvector.py`."""
    redis_auth: Auth
    """With the files of `infra/data/redis.py`."""
    queue_definitions: Auth
    """With the file of `infra/data/rabbitmq.py`."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the images with; absent: none is needed."""


class Stores(ComponentResource):
    """Three StatefulSets: at most one pod each, since a second writer would ruin the volume (docs/decisions/1301)."""

    pgvector_host: Output[str]
    """DNS name of the database."""
    redis_host: Output[str]
    """DNS name of Redis."""
    rabbitmq_host: Output[str]
    """DNS name of the queue."""

    def __init__(self, name: str, args: StoresArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:Stores", name, {}, opts)
        child = ResourceOptions(parent=self)
        config = args.config
        pgvector = Pgvector(
            PGVECTOR,
            PgvectorArgs(
                namespace=args.namespace,
                image=config.pgvector.image,
                database=config.pgvector.database,
                user=config.pgvector.user,
                auth=args.database_auth.secret,
                auth_version=args.database_auth.version,
                storage_class=args.storage_class,
                volume=config.pgvector.volume,
                storage_gib=config.pgvector.storage_gib,
                cpu_millicores=config.pgvector.cpu_millicores,
                memory_mib=config.pgvector.memory_mib,
                move_after_seconds=config.move_after_seconds,
                pull_secret=args.pull_secret,
            ),
            opts=child,
        )
        redis = Redis(
            REDIS,
            RedisArgs(
                namespace=args.namespace,
                image=config.redis.image,
                auth=args.redis_auth.secret,
                auth_version=args.redis_auth.version,
                storage_class=args.storage_class,
                storage_gib=config.redis.storage_gib,
                memory_mib=config.redis.memory_mib,
                move_after_seconds=config.move_after_seconds,
                pull_secret=args.pull_secret,
            ),
            opts=child,
        )
        rabbitmq = RabbitMq(
            RABBITMQ,
            RabbitMqArgs(
                namespace=args.namespace,
                image=config.rabbitmq.image,
                definitions=args.queue_definitions.secret,
                definitions_version=args.queue_definitions.version,
                storage_class=args.storage_class,
                storage_gib=config.rabbitmq.storage_gib,
                cpu_millicores=config.rabbitmq.cpu_millicores,
                memory_mib=config.rabbitmq.memory_mib,
                move_after_seconds=config.move_after_seconds,
                pull_secret=args.pull_secret,
            ),
            opts=child,
        )
        self.pgvector_host, self.redis_host, self.rabbitmq_host = pgvector.host, redis.host, rabbitmq.host
        self.register_outputs(
            {
                "pgvector_host": self.pgvector_host,
                "redis_host": self.redis_host,
                "rabbitmq_host": self.rabbitmq_host,
            }
        )
