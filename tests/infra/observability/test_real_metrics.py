"""Real stores and real exporters, as Debian has them, tell what dashboards and alerts ask for."""

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.data import pgvector, rabbitmq, redis
from infra.observability.store_exporters import redis_passwords
from infra.recorder import Recording
from tests.infra.aipp import servers
from tests.infra.observability.known_metrics import OF_OTHERS
from tests.infra.observability.support import recorded
from tests.infra.support import container_of


@pytest.fixture(scope="module")
def declared() -> Recording:
    return recorded("aipp-watched-by-the-cluster")


def known(whose: str) -> frozenset[str]:
    (names,) = (names for source, names in OF_OTHERS.items() if source.startswith(whose))
    return names


def told(port: int, path: str = "/metrics") -> set[str]:
    """Return the metrics that a port tells, once it does."""
    text = ""

    def answers() -> bool:
        nonlocal text
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return False
        return True

    servers.wait_until(answers, f"metrics at port {port}")
    return {re.split("[{ ]", line)[0] for line in text.splitlines() if line and not line.startswith("#")}


def environment(declared: Recording, name: str) -> dict[str, str]:
    """Return the variables of an exporter, as its pod has them."""
    (its,) = (each for each in declared.objects() if each.object_name == name and each.kind == "Deployment")
    return {each["name"]: each["value"] for each in container_of(its.properties)["env"]}


@contextmanager
def running(program: str, flag: str, variables: Mapping[str, Any]) -> Iterator[int]:
    """Run an exporter and yield its port."""
    path, port = servers.found(program, program), servers.free_port()
    where = {"PATH": os.environ["PATH"], **variables}
    with subprocess.Popen([path, f"{flag}=127.0.0.1:{port}"], env=where, stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.kill()


def test_rabbitmq_tells_it_itself(declared: Recording) -> None:
    ports = {port: servers.free_port() for port in (rabbitmq.PORT, rabbitmq.MANAGEMENT_PORT, rabbitmq.METRICS_PORT)}
    (definitions,) = rabbitmq.definitions_files("aipp", "word").values()
    definitions = definitions.replace("${word}", servers.PASSWORD)
    with servers.rabbitmq(rabbitmq.configuration(1024), definitions, rabbitmq.PLUGINS, ports):
        assert known("RabbitMQ") - told(ports[rabbitmq.METRICS_PORT]) == set()


def test_exporter_of_redis_finds_its_password(declared: Recording, tmp_path: Path) -> None:
    variables = environment(declared, "aipp-redis-exporter")
    with servers.redis() as port:
        here = variables["REDIS_ADDR"].replace(f"redis.aipp.svc:{redis.PORT}", f"127.0.0.1:{port}")
        (text,) = redis_passwords("127.0.0.1", port, "word").values()
        assert json.loads(text).keys() == {here}
        passwords = tmp_path / Path(variables["REDIS_PASSWORD_FILE"]).name
        passwords.write_text(text.replace("${word}", servers.PASSWORD))
        exporter = {**variables, "REDIS_ADDR": here, "REDIS_PASSWORD_FILE": str(passwords)}
        with running("prometheus-redis-exporter", "--web.listen-address", exporter) as its_port:
            missing = known("redis_exporter") - told(its_port)
    # Told where there is such a file, which the server of this test does not write.
    assert missing <= {"redis_aof_current_size_bytes"}


def test_exporter_of_postgresql_is_no_migration(declared: Recording) -> None:
    variables = environment(declared, "aipp-postgres-exporter")
    with servers.postgres() as database:
        exporter = {
            **variables,
            "DATA_SOURCE_URI": variables["DATA_SOURCE_URI"].replace(
                f"pgvector.aipp.svc:{pgvector.PORT}", f"127.0.0.1:{database.port}"
            ),
            "DATA_SOURCE_PASS_FILE": str(database.folder / "login"),
        }
        with running("prometheus-postgres-exporter", "--web.listen-address", exporter) as its_port:
            assert known("postgres_exporter") - told(its_port) == set()
            sessions = database.ask("SELECT DISTINCT application_name FROM pg_stat_activity WHERE usename = 'aipp'")
    assert set(sessions.split()) == {"aipp-exporter", "psql"}
