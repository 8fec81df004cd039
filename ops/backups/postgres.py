"""PostgreSQL: `pg_dump`, and back into a database beside the one in use, which takes its place at the end."""

from pathlib import Path

from ops.backups.kinds import Content, Copy
from ops.backups.reach import Reach, run, save
from ops.errors import OpsError

FILE, ROLES = "dump", "roles.sql"
_PSQL = "psql -qtAX -v ON_ERROR_STOP=1"
_LOGIN = 'export PGAPPNAME=aihub-backup PGHOST=/var/run/postgresql PGUSER="$POSTGRES_USER"\n'

# For each table its rows and their sum, which does not depend on their order; for each sequence where it is.
_ASK = """SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'hex';
SELECT format('SELECT ''content'', %L, count(*),
    coalesce(sum((''x'' || left(md5(t::text), 16))::bit(64)::bigint::numeric), 0) FROM %I.%I t',
    n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname \\gexec
SELECT 'content', schemaname || '.' || sequencename, 'sequence', last_value FROM pg_sequences;
SELECT 'content', extname, 'extension', extversion FROM pg_extension;
"""
_CONTENT = f"""{_LOGIN}{_PSQL} -d "$POSTGRES_DB" <<'SQL'
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
{_ASK}
SQL
"""
# The questions and the dump see one moment: the transaction lends its snapshot to pg_dump.
_DUMP = f"""{_LOGIN}{_PSQL} -d "$POSTGRES_DB" 5>&1 >&2 <<'SQL'
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS moment \\gset
\\setenv MOMENT :moment
{_ASK}
\\! pg_dump -d "$POSTGRES_DB" --format=custom --snapshot="$MOMENT" >&5 && echo dumped >&2
SQL
"""
_ROLES = f"{_LOGIN}pg_dumpall --roles-only --no-role-passwords"
_NEW, _OLD = '"${POSTGRES_DB}_restoring"', '"${POSTGRES_DB}_before_restore"'
_LOAD = f"""{_LOGIN}set -e
dropdb --if-exists {_NEW}
createdb --template=template0 --owner="$POSTGRES_USER" {_NEW}
trap 'dropdb --if-exists {_NEW}' EXIT
pg_restore -d {_NEW} --single-transaction --exit-on-error
trap - EXIT
"""
_SWITCH = f"""{_LOGIN}
{_PSQL} -d postgres -v db="$POSTGRES_DB" -v new={_NEW} -v old={_OLD} <<'SQL'
DROP DATABASE IF EXISTS :"old";
ALTER DATABASE :"db" ALLOW_CONNECTIONS false;
SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = :'db';
BEGIN;
ALTER DATABASE :"db" RENAME TO :"old";
ALTER DATABASE :"new" RENAME TO :"db";
COMMIT;
SQL
status=$?
[ $status = 0 ] || {_PSQL} -d postgres -v db="$POSTGRES_DB" <<'SQL'
ALTER DATABASE :"db" ALLOW_CONNECTIONS true;
SQL
exit $status
"""  # noqa: S608 - constants


def version(reach: Reach) -> str:
    """Return the server's version."""
    return run(reach, f'{_LOGIN}{_PSQL} -d "$POSTGRES_DB" -c "SHOW server_version"').split()[0]


def content(reach: Reach) -> Content:
    """Return rows and sum of every table, the sequences, the extensions."""
    return _content(run(reach, _CONTENT))


def dump(reach: Reach, base: Path) -> Copy:
    """Write the database, and the accounts without their passwords.

    Raises:
        OpsError: it cannot be read, or there is no room for the copy.
    """
    whole, roles = _files(base)
    said = save(reach, _DUMP, whole)
    if "dumped" not in said.splitlines():  # psql ends well even where what it called did not
        raise OpsError(f"{reach.name}: pg_dump failed: {said.strip()[-500:]}", "make verify; then make backup again")
    save(reach, _ROLES, roles)
    return Copy(files=(whole, roles), content=_content(said))


def is_empty(reach: Reach) -> bool:
    """Say whether there is no table."""
    return not content(reach)["tables"]


def load(reach: Reach, base: Path) -> None:
    """Fill a new database, and put it in the place of the one in use, whose sessions are ended.

    Raises:
        OpsError: the dump is broken, the volume is full, or somebody holds the database; nothing was changed.
    """
    whole, roles = _files(base)
    said = reach.attempt(f"{_LOGIN}psql -qX -d postgres >/dev/null", roles)
    wrong = [line for line in said.err.splitlines() if "ERROR" in line and not line.endswith("already exists")]
    if said.status or wrong:
        raise OpsError(f"{reach.name}: accounts: {'; '.join(wrong) or said.err.strip()[-300:]}", "make verify")
    run(reach, _LOAD, whole)
    run(reach, _SWITCH)


def keep(reach: Reach) -> None:
    """Drop the database that was in use before: what is there now has been compared."""
    run(reach, f"{_LOGIN}dropdb --if-exists {_OLD}")


def _files(base: Path) -> tuple[Path, Path]:
    return base.with_name(f"{base.name}.{FILE}"), base.with_name(f"{base.name}.{ROLES}")


def _content(printed: str) -> Content:
    rows = [
        line.removeprefix("content|").rsplit("|", 2) for line in printed.splitlines() if line.startswith("content|")
    ]
    tables = {name: {"rows": int(rows), "sum": total} for name, rows, total in rows if rows.isdigit()}
    others = {f"{kind} {name}": value for name, kind, value in rows if not kind.isdigit()}
    return {"tables": tables, **dict(sorted(others.items()))}
