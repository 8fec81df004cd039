"""What people work with beside the chat."""

from typing import Annotated

from pydantic import Field

from infra.config.types import DnsLabel, Gib, HostName, Section

Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
"""TCP port."""


class PenpotDatabaseConfig(Section):
    """A PostgreSQL server that exists already; its password is `aihub:penpotDatabasePassword`."""

    host: HostName
    """Its name, in the cluster or outside."""
    port: Port = 5432
    name: str = "penpot"
    """Database."""
    user: str = "penpot"
    """Account that owns the database."""


class PenpotRedisConfig(Section):
    """A Redis or Valkey server that exists already; its password is `aihub:penpotRedisPassword`.

    Not the chat's: whoever has its password could read conversations.
    """

    host: HostName
    """Its name, in the cluster or outside."""
    port: Port = 6379
    database: Annotated[int, Field(ge=0, le=15, strict=True)] = 0
    """Number of the database."""


class PenpotConfig(Section):
    """Penpot, for drawings of architecture."""

    namespace: DnsLabel = "tools"
    host: HostName
    """Host name of its Ingress."""
    database: PenpotDatabaseConfig
    redis: PenpotRedisConfig
    storage_gib: Gib = 5
    """Volume of what people upload."""
    registration: bool = False
    """Whether anybody who reaches the page may make an account; else an administrator makes them."""


class ToolsConfig(Section):
    """What people work with beside the chat; nothing unless named."""

    penpot: PenpotConfig | None = None
    """Absent: not there."""
