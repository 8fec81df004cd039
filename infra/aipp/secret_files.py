"""The files of the services' Secrets: each gets what it calls for, and no more."""

from collections.abc import Mapping

from infra.aipp.names import FIELDS, PASSWORD_FILES, PGVECTOR, RABBITMQ, REDIS, STORES, file_of_variable
from infra.aipp.plan import calls
from infra.config.aipp import DATABASE_PASSWORD, QUEUE_PASSWORD, REDIS_PASSWORD, AippConfig
from infra.config.aipp_services import SpringConfig

SECRET_OF: Mapping[str, str] = {PGVECTOR: DATABASE_PASSWORD, REDIS: REDIS_PASSWORD, RABBITMQ: QUEUE_PASSWORD}
"""Store -> key of its password."""

SPRING_FILES: Mapping[str, tuple[str, ...]] = {
    PGVECTOR: ("spring.datasource.password",),
    # Spring Boot 3 and 2.
    REDIS: ("spring.data.redis.password", "spring.redis.password"),
    RABBITMQ: ("spring.rabbitmq.password",),
}
"""Store -> files named like Spring's properties, which it reads as such (`spring.config.import=configtree:`)."""


def secret_files(config: AippConfig, service: str) -> dict[str, str]:
    """Return file -> template of the Secret of one of the vendor's five."""
    section = config.services()[FIELDS[service]]
    called = [call.target for call in calls(config, service) if call.target in STORES]
    files = {PASSWORD_FILES[store]: f"${{{SECRET_OF[store]}}}" for store in called}
    if isinstance(section, SpringConfig):
        files |= {file: f"${{{SECRET_OF[store]}}}" for store in called for file in SPRING_FILES[store]}
    variables = {file_of_variable(variable): f"${{{key}}}" for variable, key in section.secret_environment.items()}
    return files | variables
