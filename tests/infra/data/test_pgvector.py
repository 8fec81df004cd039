"""pgvector: the extension is there before anybody is let in, and a new password is one of the server's, too."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.data.pgvector import AUTH_FOLDER, HAS_EXTENSION, INIT_SQL, SETTLE, SETTLE_SQL, Pgvector, PgvectorArgs
from infra.recorder import Recording, record
from infra.workload import RUN_AS
from tests.infra.aipp.servers import Postgres, postgres
from tests.infra.support import container_of, only, pod_of

FAKE_EXTENSION = (
    "SET allow_system_table_mods = on; INSERT INTO pg_extension SELECT 99999, 'vector', extowner, extnamespace, "
    "extrelocatable, extversion, NULL, NULL FROM pg_extension WHERE extname = 'plpgsql'"
)
"""Debian has no pgvector: a row of the catalogue stands for it."""


@pytest.fixture(scope="module")
def recording() -> Recording:
    args = PgvectorArgs(
        namespace="aipp",
        image="docker.io/pgvector/pgvector:0.8.1-pg17",
        database="aipp",
        user="aipp",
        auth="pgvector-auth",
        auth_version="abc",
        storage_class="longhorn",
        storage_gib=20,
        cpu_millicores=1000,
        memory_mib=2048,
        move_after_seconds=60,
    )
    return record(lambda: Pgvector("pgvector", args), stack="test")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


def local(server: Postgres, script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a script of the pod, which reaches the server by its socket."""
    environment = {
        "PATH": os.environ["PATH"],
        "PGPORT": str(server.port),
        "POSTGRES_USER": "aipp",
        "POSTGRES_DB": "aipp",
        "SETTLE_FOLDER": str(folder),
    }
    here = script.replace("/var/run/postgresql", str(server.folder)).replace("/tmp/settle.log", str(folder / "log"))
    return subprocess.run(["sh", "-c", here], env=environment, capture_output=True, text=True, timeout=30)


def test_data_lie_below_the_volumes_root_and_shared_memory_is_part_of_the_memory(recording: Recording) -> None:
    container = container_of(only(recording, "StatefulSet"))
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert variables["PGDATA"] == "/var/lib/postgresql/data/pgdata"
    assert variables["POSTGRES_PASSWORD_FILE"] == f"{AUTH_FOLDER}/password"
    volumes = {volume["name"]: volume for volume in pod_of(only(recording, "StatefulSet"))["volumes"]}
    assert volumes["shared-memory"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "256Mi"}
    assert "shared_buffers=512MB" in container["args"]


def test_extension_is_made_on_an_empty_volume_and_at_every_start(recording: Recording) -> None:
    container = container_of(only(recording, "StatefulSet"))
    paths = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert "/docker-entrypoint-initdb.d/init.sql" in paths
    assert only(recording, "ConfigMap")["data"]["init.sql"] == "CREATE EXTENSION IF NOT EXISTS vector;\n"
    assert container["lifecycle"]["postStart"]["exec"]["command"] == ["sh", "-c", SETTLE]


def test_server_without_the_extension_is_not_ready(server: Postgres, tmp_path: Path) -> None:
    missing = local(server, HAS_EXTENSION, tmp_path)
    assert (missing.returncode, missing.stdout) == (1, "the extension vector is missing\n")
    server.ask(FAKE_EXTENSION)
    assert local(server, HAS_EXTENSION, tmp_path).returncode == 0
    assert local(server, HAS_EXTENSION.replace("/var/run/postgresql", "/nowhere"), tmp_path).returncode == 1
    server.ask("SET allow_system_table_mods = on; DELETE FROM pg_extension WHERE extname = 'vector'")


def test_probe_asks_although_the_pods_user_has_no_name(recording: Recording, server: Postgres) -> None:
    """As in the image: without any name libpq makes no attempt at all, and `pg_isready` ends with 3."""
    container = container_of(only(recording, "StatefulSet"))
    declared = {each["name"]: each["value"] for each in container["env"] if each["name"].startswith("PG")}
    environment = {"PATH": os.environ["PATH"], **declared, "PGPORT": str(server.port)}
    nameless = RUN_AS if os.getuid() == 0 else None
    probe = container["startupProbe"]["exec"]["command"]
    asked = subprocess.run(probe, env=environment, capture_output=True, text=True, user=nameless, cwd="/", timeout=30)
    assert (asked.returncode, asked.stderr) == (0, "")


def test_settling_sets_the_password_whatever_is_in_it(server: Postgres, tmp_path: Path) -> None:
    word = "new'canary\\with$everything"
    (tmp_path / "password").write_text(word)
    (tmp_path / "init.sql").write_text("SELECT 1;\n")
    (tmp_path / "settle.sql").write_text(SETTLE_SQL.replace(AUTH_FOLDER, str(tmp_path)))
    settled = local(server, SETTLE, tmp_path)
    assert (settled.returncode, settled.stdout, settled.stderr) == (0, "", "")
    assert server.ask("SELECT 1", PGPASSWORD=word) == "1"
    refused = subprocess.run(["psql", "-c", "SELECT 1"], env={**server.environment, "PGPASSWORD": "old"}, stderr=-1)
    assert b"authentication failed" in refused.stderr


def test_settling_says_what_it_could_not_do(server: Postgres, tmp_path: Path) -> None:
    """Debian's PostgreSQL has no pgvector, so that making the extension fails as in an image without it."""
    (tmp_path / "init.sql").write_text(INIT_SQL)
    (tmp_path / "settle.sql").write_text("SELECT 1;\n")
    settled = local(server, SETTLE.replace("-ge 600", "-ge 2"), tmp_path)
    assert settled.returncode == 1
    assert "vector" in settled.stdout
