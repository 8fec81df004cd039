"""Redis: its own snapshot, and back through its own start (docs/decisions/1701).

A running server cannot load a snapshot. So it becomes the base of a new append-only file, and the server, ended by its
own command, is started again by the kubelet and loads it as after any restart. Until that moment nothing has changed,
and the old file stays until what was loaded has been compared.
"""

import hashlib
import shlex
import time
from pathlib import Path

from infra.data.redis import AUTH_FOLDER, DATA_FOLDER
from ops.backups.kinds import Content, Copy
from ops.backups.reach import Reach, run, save
from ops.errors import OpsError

RESTART_SECONDS = 600
TRIES = 3
FILE = "rdb"
_LUA = (Path(__file__).parent / "redis_content.lua").read_text()
_LOGIN = f'REDISCLI_AUTH="$(cat {AUTH_FOLDER}/password)" || exit 1; export REDISCLI_AUTH\n'
_AOF, _NEW, _OLD = (f"{DATA_FOLDER}/{name}" for name in ("appendonlydir", "restoring", "before-restore"))
"""Folder of the append-only file as the server names it; its future and its past content."""
_COPY = f"{DATA_FOLDER}/backup.rdb"

_CONTENT = f"""{_LOGIN}
for db in $(redis-cli INFO keyspace | sed -n 's/^db\\([0-9]*\\):.*/\\1/p'); do
    cursor=0
    while :; do
        page=$(redis-cli -e -n "$db" EVAL {shlex.quote(_LUA)} 0 "$cursor") || exit 1
        cursor=$(echo "$page" | sed 1q)
        echo "$page" | sed "1d; s/^/$db /"
        [ "$cursor" = 0 ] && break
    done
done
"""
# By way of the volume: into a pipe, redis-cli (7.0) leaves the mark that ends the transfer behind the snapshot, and no
# server loads that again.
_DUMP = f"""{_LOGIN}trap 'rm -f {_COPY}' EXIT
redis-cli --rdb {_COPY} >&2 && redis-check-rdb {_COPY} >&2 && cat {_COPY}"""
_UPLOAD = f"""set -e
rm -rf {_NEW}
trap 'rm -rf {_NEW}' EXIT
mkdir {_NEW}
cat >{_NEW}/appendonly.aof.1.base.rdb
redis-check-rdb {_NEW}/appendonly.aof.1.base.rdb >&2
echo "file appendonly.aof.1.base.rdb seq 1 type b" >{_NEW}/appendonly.aof.manifest
trap - EXIT
"""
# The server stops writing its file before that is moved; whatever fails then, it writes a new one from its memory.
_SWITCH = f"""{_LOGIN}
set -e
trap 'redis-cli CONFIG SET appendonly yes >/dev/null' EXIT
redis-cli -e CONFIG SET appendonly no >/dev/null
rm -rf {_OLD}
mv {_AOF} {_OLD}
mv {_NEW} {_AOF}
echo switched
redis-cli -e SHUTDOWN NOSAVE
trap - EXIT
"""


def version(reach: Reach) -> str:
    """Return the server's version."""
    return _info(reach, "server", "redis_version")


def content(reach: Reach) -> Content:
    """Return the number of keys and the sum of what they hold.

    Keys that expire by themselves (a person's log-in) are counted and not compared: some are gone meanwhile.
    """
    rows = {line for line in run(reach, _CONTENT).splitlines() if line}
    kept = sorted(row for row in rows if " kept " in row)
    return {
        "keys": len(kept),
        "expiring": len(rows) - len(kept),
        "sha256": hashlib.sha256("\n".join(kept).encode()).hexdigest(),
    }


def dump(reach: Reach, base: Path) -> Copy:
    """Write a snapshot; it is one moment's, whoever writes meanwhile.

    The sum is made by asking, so it is the snapshot's only if nothing was written between; else it is left out.
    """
    path, found = base.with_name(f"{base.name}.{FILE}"), content(reach)
    for _ in range(TRIES):
        save(reach, _DUMP, path)
        before, found = found, content(reach)
        if found == before:
            return Copy(files=(path,), content=found)
    return Copy(files=(path,), content={}, remark="written to while it was copied: the copy is whole, but has no sum")


def is_empty(reach: Reach) -> bool:
    """Say whether there is no key."""
    return not run(reach, f"{_LOGIN}redis-cli -e INFO keyspace | grep '^db' || true").strip()


def load(reach: Reach, base: Path) -> None:
    """Put a snapshot in the place of everything.

    Raises:
        OpsError: the snapshot is broken or too new, the volume is full, or the server did not come back.
    """
    run(reach, _UPLOAD, base.with_name(f"{base.name}.{FILE}"))
    life = _info(reach, "server", "run_id")
    said = reach.attempt(_SWITCH)
    if "switched" not in said.out:
        raise OpsError(f"{reach.name}: nothing was changed: {said.err.strip()[-500:]}", "make verify")
    deadline = time.monotonic() + RESTART_SECONDS
    while time.monotonic() < deadline:
        answer = reach.attempt(f"{_LOGIN}redis-cli -e INFO server && redis-cli -e PING")
        if not answer.status and life not in answer.out:
            return
        time.sleep(1)
    raise OpsError(
        f"{reach.name} did not come back within {RESTART_SECONDS} s",
        f"what it held before is in {_OLD} of its volume: docs/backup.md says how to put that back",
    )


def keep(reach: Reach) -> None:
    """Throw away what was there before: what is there now has been compared."""
    run(reach, f"rm -rf {_OLD}")


def _info(reach: Reach, section: str, name: str) -> str:
    lines = run(reach, f"{_LOGIN}redis-cli -e INFO {section}").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), "")
