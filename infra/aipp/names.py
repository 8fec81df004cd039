"""What others must know of the services before they are declared."""

from infra.data import pgvector, rabbitmq, redis

PGVECTOR, REDIS, RABBITMQ = "pgvector", "redis", "rabbitmq"
FRONT, BACKEND = "enai-front", "enai-backend"
DATA_PROCESSOR, LINKER, SCHEDULER = "enai-data-processor", "enai-linker", "enai-scheduler"
"""Services; each names its objects, too."""

STORES = (PGVECTOR, REDIS, RABBITMQ)

POSTGRES_EXPORTER, REDIS_EXPORTER = "aipp-postgres-exporter", "aipp-redis-exporter"
EXPORTERS = (POSTGRES_EXPORTER, REDIS_EXPORTER)
"""What tells Prometheus of two of the stores (`infra/observability/`); called so among the pods of all rooms, too."""

EXPORTER_SESSION = "aipp-exporter"
"""Name of an exporter's sessions at the database, by which they are told from a migration's."""

STORE_PORTS = {PGVECTOR: pgvector.PORT, REDIS: redis.PORT, RABBITMQ: rabbitmq.PORT}

FIELDS = {
    FRONT: "front",
    BACKEND: "backend",
    DATA_PROCESSOR: "dataProcessor",
    LINKER: "linker",
    SCHEDULER: "scheduler",
}
"""Service -> its field in the configuration, as in YAML."""

CERTIFICATE, RABBITMQ_CERTIFICATE = "aipp-tls", "rabbitmq-tls"
"""Secrets with the certificates of the host names."""

SECRETS_FOLDER = "/etc/aipp/secrets"
PASSWORD_FILES = {PGVECTOR: "database-password", REDIS: "redis-password", RABBITMQ: "queue-password"}
"""Store -> file of a service's Secret with the password for it."""


def component(service: str) -> str:
    """Return a service's name among the pods of all rooms: the chat has a Redis, too."""
    return f"aipp-{service}" if service in STORES else service


def file_of_variable(variable: str) -> str:
    """Return the file of a service's Secret that a variable is taken from."""
    return f"env.{variable}"
