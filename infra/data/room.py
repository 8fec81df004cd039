"""From the configuration of the data services to their components."""

from dataclasses import dataclass

from pulumi import Input

from infra.data.chroma import Chroma, ChromaArgs
from infra.data.redis import AUTH_FILES, Redis, RedisArgs
from infra.registry.access import Registry
from infra.registry.build import build_secrets
from infra.registry.image import BuiltImage, BuiltImageArgs
from infra.registry.room import pull_secret
from infra.secrets.files import declare_secret
from infra.site import Site
from infra.versions import CHROMA, REDIS


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where the chat finds what it remembers."""

    redis_host: Input[str]
    """Host of Redis."""
    chroma_host: Input[str]
    """Host of Chroma."""


def declare(site: Site, registry: Registry) -> Stores:
    """Declare Redis and Chroma; each image is the configured one, or is built here."""
    config, namespace = site.stack.data, site.namespaces["data"]
    pull = pull_secret(site, registry, "data")
    auth = declare_secret(site, "data", "redis-auth", "data", AUTH_FILES, component="redis")
    redis = Redis(
        "redis",
        RedisArgs(
            namespace=namespace,
            image=config.redis.image or _built("redis", REDIS, registry),
            auth=auth.secret,
            auth_version=auth.version,
            storage_class=site.stack.storage.storage_class,
            storage_gib=config.redis.storage_gib,
            memory_mib=config.redis.memory_mib,
            pull_secret=pull.secret if pull else None,
        ),
        opts=site.options,
    )
    chroma = Chroma(
        "chroma",
        ChromaArgs(
            namespace=namespace,
            image=config.chroma.image or _built("chroma", CHROMA, registry),
            storage_class=site.stack.storage.storage_class,
            storage_gib=config.chroma.storage_gib,
            memory_mib=config.chroma.memory_mib,
            pull_secret=pull.secret if pull else None,
        ),
        opts=site.options,
    )
    return Stores(redis_host=redis.host, chroma_host=chroma.host)


def _built(name: str, version: str, registry: Registry) -> Input[str]:
    """Return the reference of an image of ``images/``, built and pushed."""
    image = BuiltImage(
        name,
        BuiltImageArgs(registry=registry, context=f"images/{name}", tag=version, secrets=build_secrets()),
    )
    return image.reference
