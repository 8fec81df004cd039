"""How long a copy and its way back take, against how much there is: real servers of this machine, without a cluster.

The scripts are those that run in the pods; the way through the API server is not in these figures.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.report import table, write
from ops.backups import chroma, postgres, redis
from ops.backups.kinds import Kind, differences
from tests.infra.aipp.servers import PASSWORD
from tests.ops import backup_servers as servers
from tests.ops.backup_servers import HOME, Here, ask

SIZES = {
    "redis": (10_000, 100_000, 400_000),
    "postgres": (10_000, 100_000, 1_000_000),
    "chroma": (1_000, 5_000, 20_000),
}
WHAT = {
    "redis": "messages of 480 characters",
    "postgres": "rows of 200 bytes",
    "chroma": "passages of 700 characters, 384 numbers each",
}


def fill_redis(here: Here, count: int) -> None:
    """Write lists of a hundred messages each."""
    script = (
        "for i = 1, ARGV[1] do local text = '' for j = 1, 12 do text = text .. redis.sha1hex(i .. '.' .. j) end "
        "redis.call('RPUSH', 'chat:messages:' .. math.floor(i / 100), text) end return 1"
    )
    said = here.attempt(f'REDISCLI_AUTH={PASSWORD} redis-cli -e EVAL "{script}" 0 {count}')
    assert not said.status, said.err


def fill_chroma(here: Here, count: int) -> None:
    """Write passages as the api does, 500 at a time."""
    made = ask(here, "POST", HOME, {"name": "documents", "configuration": {"hnsw": {"space": "cosine"}}})
    for start in range(0, count, 500):
        numbers = range(start, start + 500)
        body: dict[str, Any] = {
            "ids": [str(number) for number in numbers],
            "embeddings": [[((number * 7 + at) % 1009) / 1009 for at in range(384)] for number in numbers],
            "documents": [f"passage {number} " + "word " * 140 for number in numbers],
            "metadatas": [{"index": number, "name": "document"} for number in numbers],
        }
        ask(here, "POST", f"{HOME}/{made['id']}/add", body)


@contextmanager
def _postgres(_: Path) -> Iterator[Here]:
    with servers.postgres() as (here, _server):
        yield here


def fill_postgres(here: Here, count: int) -> None:
    """Write one table with a key."""
    sql = (
        "CREATE TABLE texts (id bigserial PRIMARY KEY, body text); "
        "INSERT INTO texts (body) SELECT (SELECT string_agg(md5(n || '.' || j), '') FROM generate_series(1, 6) j) "
        f"FROM generate_series(1, {count}) n"
    )
    said = here.attempt(f'PGHOST=/var/run/postgresql psql -q -U aipp -d aipp -c "{sql}"')
    assert not said.status, said.err


STORES: dict[str, tuple[Any, Callable[..., Any], Callable[[Here, int], None]]] = {
    "redis": (redis, lambda folder: servers.redis(folder, memory_mib=1024, delay_seconds=5), fill_redis),
    "postgres": (postgres, _postgres, fill_postgres),
    "chroma": (chroma, servers.chroma, fill_chroma),
}


def measured(name: str, count: int, folder: Path) -> list[str]:
    """Fill a server, copy it, fill another one from the copy, compare; return a row."""
    kind: Kind
    kind, server, fill = STORES[name]
    with ExitStack() as running:
        old, new = (running.enter_context(server(folder / each)) for each in ("old", "new"))
        fill(old, count)
        begun = time.monotonic()
        copy = kind.dump(old, folder / name)
        copied = time.monotonic()
        kind.load(new, folder / name)
        loaded = time.monotonic()
        wrong = differences(copy.content, kind.content(new))
        compared = time.monotonic()
        assert copy.content
        assert not wrong, wrong
    mib = sum(path.stat().st_size for path in copy.files) / 2**20
    times = [copied - begun, loaded - copied, compared - loaded]
    return [name, f"{count} {WHAT[name]}", f"{mib:.1f}", *(f"{seconds:.1f}" for seconds in times)]


def main() -> None:
    """Measure and write the table."""
    rows = []
    for name, counts in SIZES.items():
        for count in counts:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(measured(name, count, Path(folder)))
            print(rows[-1], file=sys.stderr, flush=True)
    head = ["store", "what is in it", "copy, MiB", "copy, s", "restore, s", "compare, s"]
    lines = table(head, rows)
    lines += [
        "",
        "Servers are processes of this machine, reached without a cluster. The sums are part of the copy's time.",
    ]
    lines += ["Redis waits 5 s before it sends a snapshot (`repl-diskless-sync-delay`, its own default)."]
    write("backup", "Copy and restore against size", "python -m bench.backup", lines)


if __name__ == "__main__":
    main()
