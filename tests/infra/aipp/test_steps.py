"""What a pod waits for, against the real servers: it goes on when it is let in, not a moment earlier."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.aipp import steps
from infra.aipp.place import Place
from infra.data.rabbitmq import MANAGEMENT_PORT, METRICS_PORT, PLUGINS, PORT, configuration, definitions_files
from infra.secrets.files import fill
from tests.infra.aipp.servers import PASSWORD, Postgres, free_port, postgres, rabbitmq, redis, step, wait_until
from tests.infra.aipp.support import configured

LOCK = """CREATE TABLE databasechangeloglock (
    id int PRIMARY KEY, locked bool NOT NULL, lockgranted timestamp, lockedby varchar(255))"""
HELD = "INSERT INTO databasechangeloglock VALUES (1, TRUE, now(), 'enai-backend-0 (10.42.0.5)')"


def place() -> Place:
    stores = ("pgvector", "redis", "rabbitmq")
    return Place(
        package=configured(),
        namespace="aipp",
        hosts={store: f"{store}.aipp.svc" for store in stores},
        storage_class="longhorn",
        python_image="docker.io/library/python:3.11.14-slim-bookworm",
        move_after_seconds=60,
        secret="some",
        secret_version="1",
    )


def command(name: str) -> list[str]:
    (found,) = (each for each in steps.waits("enai-backend", place()) if each["name"] == name)
    return list(found["command"])  # type: ignore[arg-type]  # a list


def ends(process: "subprocess.Popen[str]") -> str:
    """Return what a step said before it went on."""
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    return said


def keeps_waiting(process: "subprocess.Popen[str]", seconds: float = 1.5) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)


def stop(process: "subprocess.Popen[str]") -> str:
    """End a step that waits, and return what it said."""
    process.terminate()
    return process.communicate(timeout=10)[0]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def database(server: Postgres) -> Iterator[Postgres]:
    yield server
    server.ask("DROP TABLE IF EXISTS databasechangeloglock")


def test_database_that_comes_late_is_waited_for_and_then_its_extension(database: Postgres) -> None:
    late = step(command("wait-for-pgvector"), {**database.environment, "PGPORT": str(free_port())})
    keeps_waiting(late)
    assert "Connection refused" in stop(late)
    early = step(command("wait-for-pgvector"), database.environment)
    keeps_waiting(early)
    # Debian has no pgvector: a row of the catalogue stands for it.
    database.ask(
        "SET allow_system_table_mods = on; INSERT INTO pg_extension SELECT 99999, 'vector', extowner, extnamespace, "
        "extrelocatable, extversion, NULL, NULL FROM pg_extension WHERE extname = 'plpgsql'"
    )
    assert "has no extension vector yet" in ends(early)
    database.ask("SET allow_system_table_mods = on; DELETE FROM pg_extension WHERE extname = 'vector'")


def test_refused_login_is_waited_out_and_never_shown(database: Postgres, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong-canary")
    refused = step(command("wait-for-pgvector"), {**database.environment, "LOGIN_FILE": str(tmp_path / "wrong")})
    keeps_waiting(refused)
    said = stop(refused)
    assert "authentication failed" in said
    assert "wrong-canary" not in said


def release(database: Postgres) -> "subprocess.Popen[str]":
    container: Mapping[str, Any] = steps.release_lock(place())
    (known,) = (each["value"] for each in container["env"] if each["name"] == "KNOWN_SESSIONS")
    return step(container["command"], {**database.environment, "KNOWN_SESSIONS": known})


def session(database: Postgres, name: str, number: int = 1) -> "subprocess.Popen[str]":
    """Hold a connection as a service of this name would; ``number`` of its name are there then, dead ones included."""
    environment = {**database.environment, "PGPASSWORD": PASSWORD, "PGAPPNAME": name}
    process = subprocess.Popen(["psql", "-c", "SELECT pg_sleep(60)"], env=environment, stdout=-3, stderr=-3, text=True)
    counted = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND pid <> pg_backend_pid()"
    wait_until(lambda: 1 <= int(database.ask(counted)) <= number, f"the session of {name}")
    return process


def held(database: Postgres) -> bool:
    return database.ask("SELECT locked FROM databasechangeloglock") == "t"


def test_nothing_to_release(database: Postgres) -> None:
    assert "no migration has run yet" in ends(release(database))
    database.ask(LOCK)
    database.ask("INSERT INTO databasechangeloglock VALUES (1, FALSE, NULL, NULL)")
    assert "free" in ends(release(database))


@pytest.mark.parametrize("other", [None, "enai-scheduler", "aipp-wait"])
def test_lock_of_a_killed_pod_is_taken_back(database: Postgres, other: str | None) -> None:
    database.ask(LOCK)
    database.ask(HELD)
    beside = session(database, other) if other else None
    assert "released: held by enai-backend-0 (10.42.0.5) since" in ends(release(database))
    assert not held(database)
    if beside:
        beside.kill()
        beside.wait()


@pytest.mark.parametrize("holder", ["enai-backend", "PostgreSQL JDBC Driver", "psql"])
def test_lock_of_a_migration_that_goes_on_is_left_until_it_dies(database: Postgres, holder: str) -> None:
    database.ask(LOCK)
    database.ask(HELD)
    migration = session(database, holder)
    waiting = release(database)
    keeps_waiting(waiting)
    assert held(database)
    migration.kill()  # as the kernel does with a pod out of memory: nothing says goodbye, the connection breaks
    migration.wait()
    said = ends(waiting)
    assert f"who may still migrate: session '{holder}' from 127.0.0.1" in said
    assert "released" in said
    assert not held(database)


@contextmanager
def watched(database: Postgres) -> Iterator["subprocess.Popen[str]"]:
    container: Mapping[str, Any] = steps.watch_lock(place())
    (known,) = (each["value"] for each in container["env"] if each["name"] == "KNOWN_SESSIONS")
    process = step(container["command"], {**database.environment, "KNOWN_SESSIONS": known})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=5)  # it hears the signal, though it is a container's first process
        assert process.returncode == 0


def test_lock_of_a_container_that_was_killed_is_taken_back_in_its_pod(database: Postgres) -> None:
    with watched(database) as watch:
        keeps_waiting(watch)  # there is no table yet
        database.ask(LOCK)
        migration = session(database, "enai-backend")
        database.ask(HELD)
        keeps_waiting(watch)
        assert held(database)
        migration.kill()
        migration.wait()
        # Its successor waits for the lock; of all sessions it is the one that cannot hold it.
        successor = session(database, "enai-backend", number=2)
        wait_until(lambda: not held(database), "the release", 20)
        successor.kill()
        successor.wait()
    assert "released, held by enai-backend-0 (10.42.0.5) since" in str(watch.stdout and watch.stdout.read())


def test_lock_that_changes_hands_is_left_alone(database: Postgres) -> None:
    database.ask(LOCK)
    with watched(database) as watch:
        first = session(database, "enai-backend")
        database.ask(HELD)
        keeps_waiting(watch)
        first.kill()
        first.wait()
        database.ask("UPDATE databasechangeloglock SET lockgranted = now() + interval '1 s'")
        second = session(database, "psql")
        database.ask("UPDATE databasechangeloglock SET lockgranted = now() + interval '2 s'")
        keeps_waiting(watch, 3)
        assert held(database)
        second.kill()
        second.wait()
        wait_until(lambda: not held(database), "the release", 20)


def test_redis_is_waited_for_until_it_lets_us_in(tmp_path: Path) -> None:
    (tmp_path / "login").write_text("wrong-canary")
    with redis() as port:
        environment = {
            "PATH": os.environ["PATH"],
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "LOGIN_FILE": str(tmp_path / "login"),
            "PAUSE_SECONDS": "0.2",
        }
        refused = step(command("wait-for-redis"), environment)
        keeps_waiting(refused)
        (tmp_path / "login").write_text(PASSWORD)
        said = ends(refused)
    assert "waiting for 127.0.0.1:" in said
    assert "canary" not in said


def test_rabbitmq_starts_from_its_files_and_is_waited_for(tmp_path: Path) -> None:
    (definitions,) = definitions_files("aipp", "aippQueuePassword").values()
    ports = {port: free_port() for port in (PORT, MANAGEMENT_PORT, METRICS_PORT)}
    (tmp_path / "login").write_text(PASSWORD)
    environment = {
        "PATH": os.environ["PATH"],
        "HOST": "127.0.0.1",
        "PORT": str(ports[PORT]),
        "ACCOUNT": "aipp",
        "LOGIN_FILE": str(tmp_path / "login"),
        "PAUSE_SECONDS": "0.5",
    }
    filled = fill(definitions, {"aippQueuePassword": PASSWORD})
    with rabbitmq(configuration(1024), filled, PLUGINS, ports) as folder:
        waiting = step(command("wait-for-rabbitmq"), environment)
        said, _ = waiting.communicate(timeout=120)
        assert waiting.returncode == 0, said + (folder / "said").read_text()
        assert "waiting for 127.0.0.1:" in said
        (tmp_path / "login").write_text("wrong-canary")
        refused = step(command("wait-for-rabbitmq"), environment)
        keeps_waiting(refused, 10)  # it answers a wrong login late, on purpose
        said = stop(refused)
        assert "ACCESS_REFUSED" in said
        assert "canary" not in said
        page = step(["python3", "-c", steps.script("wait_for_http.py")], {**environment, "ADDRESS": address(ports)})
        assert ends(page) == ""


def address(ports: Mapping[int, int]) -> str:
    return f"http://127.0.0.1:{ports[MANAGEMENT_PORT]}/"
