"""PostgreSQL: a real database, dumped while it is written to, restored into another server."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.backups import postgres
from ops.backups.kinds import differences
from ops.backups.reach import Said, run
from ops.errors import OpsError
from tests.infra.aipp.servers import PASSWORD, Postgres
from tests.ops.backup_servers import Here
from tests.ops.backup_servers import postgres as postgres_server

TABLES = """
CREATE ROLE reader LOGIN PASSWORD 'canary-role-77';
CREATE TABLE texts (id bigserial PRIMARY KEY, body text, at timestamptz DEFAULT now(), score float8, raw bytea);
INSERT INTO texts (body, score, raw) SELECT 'text ' || n, n / 3.0, decode(md5(n::text), 'hex')
    FROM generate_series(1, 500) n;
CREATE SCHEMA "Odd one"; CREATE TABLE "Odd one"."A table" (a int); INSERT INTO "Odd one"."A table" VALUES (1), (1);
GRANT SELECT ON texts TO reader;
CREATE MATERIALIZED VIEW few AS SELECT * FROM texts WHERE id < 10;
"""


@pytest.fixture(scope="module")
def old() -> Iterator[tuple[Here, Postgres]]:
    with postgres_server() as (here, server):
        server.ask(TABLES)
        yield here, server


@pytest.fixture
def new() -> Iterator[tuple[Here, Postgres]]:
    with postgres_server() as found:
        yield found


def test_tables_sequences_rights_and_roles_come_back(
    old: tuple[Here, Postgres], new: tuple[Here, Postgres], tmp_path: Path
) -> None:
    copy = postgres.dump(old[0], tmp_path / "db")
    assert copy.content["tables"]["public.texts"]["rows"] == 500
    assert copy.content["tables"]["Odd one.A table"]["rows"] == 2
    assert copy.content["sequence public.texts_id_seq"] == "500"
    assert postgres.is_empty(new[0])
    postgres.load(new[0], tmp_path / "db")
    assert differences(copy.content, postgres.content(new[0])) == []
    postgres.keep(new[0])
    assert new[1].ask("SELECT has_table_privilege('reader', 'texts', 'SELECT')") == "t"
    assert new[1].ask("SELECT string_agg(datname, ' ') FROM pg_database WHERE datname LIKE 'aipp%'") == "aipp"
    written = b"".join(path.read_bytes() for path in copy.files)
    assert b"canary-role-77" not in written
    assert PASSWORD.encode() not in written
    assert b"SCRAM-SHA" not in written


def test_what_the_sum_covers(old: tuple[Here, Postgres], new: tuple[Here, Postgres], tmp_path: Path) -> None:
    copy = postgres.dump(old[0], tmp_path / "db")
    postgres.load(new[0], tmp_path / "db")
    new[1].ask("UPDATE texts SET score = score + 1e-9 WHERE id = 7")
    (wrong,) = differences(copy.content, postgres.content(new[0]))
    assert "public.texts" in wrong
    assert "sum" in wrong


def test_a_database_in_use_is_replaced(old: tuple[Here, Postgres], new: tuple[Here, Postgres], tmp_path: Path) -> None:
    copy = postgres.dump(old[0], tmp_path / "db")
    new[1].ask("CREATE TABLE mine (a int)")
    assert not postgres.is_empty(new[0])
    login = {**new[1].environment, "PGPASSWORD": PASSWORD}
    sleeper = subprocess.Popen(["psql", "-c", "SELECT pg_sleep(60)"], env=login, stderr=subprocess.DEVNULL)
    postgres.load(new[0], tmp_path / "db")
    assert sleeper.wait(10) != 0
    assert differences(copy.content, postgres.content(new[0])) == []
    assert "public.mine" not in postgres.content(new[0])["tables"]
    postgres.load(new[0], tmp_path / "db")  # what the first one put aside is in nobody's way
    assert differences(copy.content, postgres.content(new[0])) == []


def test_a_broken_dump_leaves_the_database_as_it_is(
    old: tuple[Here, Postgres], new: tuple[Here, Postgres], tmp_path: Path
) -> None:
    postgres.dump(old[0], tmp_path / "db")
    file = tmp_path / "db.dump"
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    new[1].ask("CREATE TABLE mine (a int)")
    with pytest.raises(OpsError, match="pg_restore"):
        postgres.load(new[0], tmp_path / "db")
    assert list(postgres.content(new[0])["tables"]) == ["public.mine"]
    assert new[1].ask("SELECT count(*) FROM pg_database WHERE datname LIKE 'aipp%'") == "1"


def test_dump_and_sums_are_of_one_moment(
    old: tuple[Here, Postgres], new: tuple[Here, Postgres], tmp_path: Path
) -> None:
    """Somebody writes between the questions and the dump."""
    asked = postgres._DUMP.replace("\\! pg_dump", '\\! psql -qc "DELETE FROM few_rows" -d "$POSTGRES_DB" && pg_dump')
    assert "few_rows" in asked
    old[1].ask("CREATE TABLE IF NOT EXISTS few_rows (a int); INSERT INTO few_rows VALUES (1), (2)")

    class Busy(Here):
        def attempt(self, script: str, stdin: Path | None = None, stdout: Path | None = None) -> Said:
            return super().attempt(script.replace(postgres._DUMP, asked), stdin, stdout)

    busy = Busy(name=old[0].name, environment=old[0].environment, places=old[0].places)
    copy = postgres.dump(busy, tmp_path / "db")
    assert old[1].ask("SELECT count(*) FROM few_rows") == "0"
    postgres.load(new[0], tmp_path / "db")
    assert copy.content["tables"]["public.few_rows"]["rows"] == 2
    assert differences(copy.content, postgres.content(new[0])) == []
    old[1].ask("DROP TABLE few_rows")


def test_a_dump_that_fails_is_an_error(old: tuple[Here, Postgres], tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_dump").write_text("#!/bin/sh\nprintf half\nexit 1\n")
    (programs / "pg_dump").chmod(0o755)
    environment = {**old[0].environment, "PATH": f"{programs}:{old[0].environment['PATH']}"}
    broken = Here(name=old[0].name, environment=environment, places=old[0].places)
    with pytest.raises(OpsError, match="pg_dump failed"):
        postgres.dump(broken, tmp_path / "db")
    assert run(old[0], "echo ok").strip() == "ok"
