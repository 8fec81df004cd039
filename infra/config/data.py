"""What the chat remembers."""

from infra.config.types import DnsLabel, Gib, Image, Mib, Section


class RedisConfig(Section):
    """Chat history."""

    image: Image | None = None
    """Absent: built from ``images/redis``."""
    storage_gib: Gib = 2
    """Volume of the append-only file; about twice the data."""
    memory_mib: Mib = 512
    """Memory limit; three quarters of it are Redis' maxmemory."""


class ChromaConfig(Section):
    """Documents and their embeddings."""

    image: Image | None = None
    """Absent: built from ``images/chroma``."""
    storage_gib: Gib = 5
    """Volume of passages, vectors and their index."""
    memory_mib: Mib = 1024
    """Memory limit; the index of a collection in use is held in memory."""


class DataConfig(Section):
    """What the chat remembers."""

    namespace: DnsLabel = "data"
    redis: RedisConfig = RedisConfig()
    chroma: ChromaConfig = ChromaConfig()
