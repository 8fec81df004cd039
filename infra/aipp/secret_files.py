"""The files of the services' Secrets: each gets what it calls for, and no more."""

from collections.abc import Mapping

from infra.aipp.names import FIELDS, PASSWORD_FILES, PGVECTOR, RABBITMQ, REDIS, STORES, component, file_of_variable
from infra.aipp.plan import calls, services
from infra.config.aipp import DATABASE_PASSWORD, QUEUE_PASSWORD, REDIS_PASSWORD, AippConfig
from infra.config.aipp_services import SpringConfig
from infra.data.pgvector import AUTH_FILE
from infra.data.rabbitmq import definitions_files
from infra.data.redis import auth_files

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


def files_of(config: AippConfig) -> dict[str, Mapping[str, str]]:
    """Return service -> file -> template, for the stores and the services that read any."""
    stores: dict[str, Mapping[str, str]] = {
        PGVECTOR: {AUTH_FILE: f"${{{SECRET_OF[PGVECTOR]}}}"},
        REDIS: auth_files(SECRET_OF[REDIS]),
        RABBITMQ: definitions_files(config.rabbitmq.user, SECRET_OF[RABBITMQ]),
    }
    vendors = {service: secret_files(config, service) for service in services(config) if service in FIELDS}
    return stores | {service: files for service, files in vendors.items() if files}


def secret_name(service: str) -> str:
    """Return the name of a service's Secret; the chat has a Redis, too, and so has one of a like name."""
    ends = {PGVECTOR: "auth", REDIS: "auth", RABBITMQ: "definitions"}
    return f"{component(service)}-{ends.get(service, 'secrets')}"
