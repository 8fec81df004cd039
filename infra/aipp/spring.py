"""What the vendor's Spring Boot services are told alike: whom they find where, and how Java uses its memory."""

from collections.abc import Mapping

from pulumi import Input, Output

from infra.aipp.names import PGVECTOR, RABBITMQ, REDIS, SECRETS_FOLDER, STORE_PORTS
from infra.aipp.place import Place
from infra.config.aipp_services import SpringConfig


def spring_environment(service: str, place: Place, config: SpringConfig) -> Mapping[str, Input[str]]:
    """Return the variables of a Spring service; its passwords come from files, which Spring reads as properties."""
    database, hosts = place.package.pgvector, place.hosts
    return {
        "SERVER_PORT": str(config.port),
        "SPRING_CONFIG_IMPORT": f"configtree:{SECRETS_FOLDER}/",
        # The name tells whose session it is: see steps/release_lock.sh.
        "SPRING_DATASOURCE_URL": Output.concat(
            "jdbc:postgresql://",
            hosts[PGVECTOR],
            f":{STORE_PORTS[PGVECTOR]}/{database.database}?ApplicationName={service}&tcpKeepAlive=true",
        ),
        "SPRING_DATASOURCE_USERNAME": database.user,
        **{
            f"SPRING{section}_REDIS_{key}": value
            for section in ("_DATA", "")  # Spring Boot 3 and 2
            for key, value in (("HOST", hosts[REDIS]), ("PORT", str(STORE_PORTS[REDIS])))
        },
        "SPRING_RABBITMQ_HOST": hosts[RABBITMQ],
        "SPRING_RABBITMQ_PORT": str(STORE_PORTS[RABBITMQ]),
        "SPRING_RABBITMQ_USERNAME": place.package.rabbitmq.user,
        "MANAGEMENT_ENDPOINT_HEALTH_PROBES_ENABLED": "true",
        "MANAGEMENT_ENDPOINTS_WEB_EXPOSURE_INCLUDE": "health,prometheus",
        # The rest of the memory is Java's own: threads, compiled code, buffers.
        "JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError",
    }
