"""From the configuration to the exporters of stores: the chat's Redis, and AIPP's Redis and database."""

from infra.aipp.names import EXPORTER_SESSION, PGVECTOR, POSTGRES_EXPORTER, REDIS, REDIS_EXPORTER
from infra.config.aipp import DATABASE_PASSWORD, REDIS_PASSWORD, AippConfig
from infra.data import pgvector, redis
from infra.observability.names import stores_are_asked
from infra.observability.store_exporters import (
    PostgresExporter,
    PostgresExporterArgs,
    RedisExporter,
    RedisExporterArgs,
    postgres_password,
    redis_passwords,
)
from infra.registry.access import pull_secret_name, puller_of
from infra.secrets.files import SecretFiles, declare_secret
from infra.site import Site


def declare_exporters(site: Site) -> None:
    """Declare one beside each store that the configuration has an image for."""
    if image := site.stack.observability.redis_exporter_image:
        host = f"redis.{site.stack.data.namespace}.svc"
        files = redis_passwords(host, redis.PORT, "redisPassword")
        secret = declare_secret(site, "observability", "redis-exporter", "data", files)
        _redis_exporter(site, "redis-exporter", "data", image=image, host=host, secret=secret)
    if aipp := site.stack.aipp:
        _beside_aipp(site, aipp)


def _beside_aipp(site: Site, aipp: AippConfig) -> None:
    """Declare what stands in the services' namespace, which is Argo CD's where the services are; Secrets stay ours."""
    config = site.stack.observability
    is_argocds = aipp.delivery == "argocd"
    if not stores_are_asked(site.stack) or (is_argocds and site.stack.secrets.vault):
        return
    if image := config.redis_exporter_image:
        host = f"{REDIS}.{aipp.namespace}.svc"
        files = redis_passwords(host, redis.PORT, REDIS_PASSWORD)
        secret = declare_secret(site, "observability", REDIS_EXPORTER, "aipp", files, paths=aipp.vault_paths())
        if not is_argocds:
            _redis_exporter(site, REDIS_EXPORTER, "aipp", image=image, host=host, secret=secret)
    if image := config.postgres_exporter_image:
        files = postgres_password(DATABASE_PASSWORD)
        secret = declare_secret(site, "observability", POSTGRES_EXPORTER, "aipp", files, paths=aipp.vault_paths())
        if not is_argocds:
            _postgres_exporter(site, aipp, image, secret)


def _redis_exporter(site: Site, name: str, space: str, *, image: str, host: str, secret: SecretFiles) -> None:
    RedisExporter(
        name,
        RedisExporterArgs(
            namespace=site.namespaces[space],
            image=image,
            host=host,
            port=redis.PORT,
            passwords=secret.secret,
            passwords_version=secret.version,
            pull_secret=_pull_secret(site, space),
        ),
        opts=site.options,
    )


def _postgres_exporter(site: Site, aipp: AippConfig, image: str, secret: SecretFiles) -> None:
    PostgresExporter(
        POSTGRES_EXPORTER,
        PostgresExporterArgs(
            namespace=site.namespaces["aipp"],
            image=image,
            host=f"{PGVECTOR}.{aipp.namespace}.svc",
            port=pgvector.PORT,
            database=aipp.pgvector.database,
            user=aipp.pgvector.user,
            session=EXPORTER_SESSION,
            password=secret.secret,
            password_version=secret.version,
            pull_secret=_pull_secret(site, "aipp"),
        ),
        opts=site.options,
    )


def _pull_secret(site: Site, space: str) -> str | None:
    """Return the Secret with which the room's own pods pull; the room declares it."""
    aipp = site.stack.aipp
    if space == "aipp" and aipp and aipp.pull_secret:
        return aipp.pull_secret
    return pull_secret_name(space) if puller_of(site.stack.registry) else None
