"""Where volumes come from."""

from pydantic import Field

from infra.config.types import DnsLabel, Section


class StorageConfig(Section):
    """Where volumes come from."""

    storage_class: DnsLabel = Field(alias="class")
    """StorageClass of every volume, e.g. ``longhorn`` or ``local-path``."""
