"""The stand-ins of `make live STACK=dev` are picky: without their database, queue or secret they do not start."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.aipp.steps import script
from infra.data.rabbitmq import MANAGEMENT_PORT, METRICS_PORT, PLUGINS, PORT, configuration, definitions_files
from infra.secrets.files import fill
from tests.infra.aipp.servers import PASSWORD, Postgres, free_port, postgres, rabbitmq, redis, wait_until

STANDIN = Path(__file__).parents[2] / "live" / "dev" / "vendor" / "standin.py"
FILES = ("spring.datasource.password", "spring.data.redis.password", "spring.rabbitmq.password")


class Backend:
    """The stand-in as enai-backend, on real servers."""

    def __init__(self, folder: Path, database: Postgres, redis_port: int, queue_port: int) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "infra/aipp/steps").mkdir(parents=True)
        (folder / "infra/aipp/steps/wait_for_rabbitmq.py").write_text(script("wait_for_rabbitmq.py"))
        shutil.copyfile(STANDIN, folder / "standin.py")
        for file in FILES:
            (folder / file).write_text(PASSWORD)
        self.settings = {
            "PATH": os.environ["PATH"],
            "SERVER_PORT": str(self.port),
            "SPRING_CONFIG_IMPORT": f"configtree:{folder}/",
            "SPRING_DATASOURCE_URL": f"jdbc:postgresql://127.0.0.1:{database.port}/aipp?ApplicationName=enai-backend&x=1",
            "SPRING_DATASOURCE_USERNAME": "aipp",
            "SPRING_DATA_REDIS_HOST": "127.0.0.1",
            "SPRING_DATA_REDIS_PORT": str(redis_port),
            "SPRING_RABBITMQ_HOST": "127.0.0.1",
            "SPRING_RABBITMQ_PORT": str(queue_port),
            "SPRING_RABBITMQ_USERNAME": "aipp",
            "SPRING_LIQUIBASE_ENABLED": "true",
        }

    def start(self, **changes: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-u", str(self.folder / "standin.py")]
        return subprocess.Popen(
            command, env={**self.settings, **changes}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def refusal(self, **changes: str) -> str:
        process = self.start(**changes)
        said, _ = process.communicate(timeout=30)
        assert process.returncode, said
        return said

    def ready(self) -> bool:
        address = f"http://127.0.0.1:{self.port}/actuator/health/readiness"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(json.loads(answer.read())["status"] == "UP")
        except OSError:
            return False


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, Postgres]]:
    ports = {PORT: free_port(), MANAGEMENT_PORT: free_port(), METRICS_PORT: free_port()}
    (definitions,) = definitions_files("aipp", "key").values()
    with (
        postgres() as database,
        redis() as redis_port,
        rabbitmq(configuration(512), fill(definitions, {"key": PASSWORD}), PLUGINS, ports) as folder,
    ):
        wait_until(lambda: "Server startup complete" in (folder / "said").read_text(), "RabbitMQ")
        database.ask("CREATE DOMAIN vector AS text")  # Debian has no pgvector
        yield Backend(tmp_path_factory.mktemp("standin"), database, redis_port, ports[PORT]), database


def test_missing_store_or_secret_ends_it_by_name(backend: tuple[Backend, Postgres]) -> None:
    service, _ = backend
    assert "Connection refused" in service.refusal(SPRING_RABBITMQ_PORT=str(free_port()))
    assert "Connection refused" in service.refusal(SPRING_DATA_REDIS_PORT=str(free_port()))
    assert "Connection refused" in service.refusal(
        SPRING_DATASOURCE_URL=f"jdbc:postgresql://127.0.0.1:{free_port()}/aipp?ApplicationName=a&x=1"
    )
    for file in FILES:
        (service.folder / file).rename(service.folder / "away")
        assert file in service.refusal()
        (service.folder / "away").rename(service.folder / file)


def test_only_the_backend_makes_tables(backend: tuple[Backend, Postgres]) -> None:
    service, database = backend
    database.ask("DROP TABLE IF EXISTS texts")
    assert 'relation "texts" does not exist' in service.refusal(SPRING_LIQUIBASE_ENABLED="false")


def test_killed_migration_leaves_its_lock_and_the_next_one_waits(backend: tuple[Backend, Postgres]) -> None:
    service, database = backend
    database.ask("DROP TABLE IF EXISTS texts")
    killed = service.start(MIGRATION_SECONDS="60")
    locked = "SELECT coalesce((SELECT locked FROM databasechangeloglock), FALSE)"
    wait_until(lambda: "databasechangeloglock" in database.ask("SELECT relname FROM pg_class"), "the lock's table")
    wait_until(lambda: database.ask(locked) == "t", "the lock")
    killed.kill()
    killed.wait()
    assert "could not acquire the lock" in service.refusal(LOCK_WAIT_SECONDS="1.5")
    database.ask("UPDATE databasechangeloglock SET locked = FALSE")
    running = service.start()
    try:
        wait_until(service.ready, "the service")
        assert database.ask(locked) == "f"
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'enai-backend'"
        assert "t" in database.ask(ended)
        wait_until(lambda: not service.ready(), "its connection's end")
        wait_until(service.ready, "another connection")
    finally:
        running.terminate()
        assert running.wait(timeout=5) == 1
