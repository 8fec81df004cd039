"""Redis: a real server's snapshot, loaded by another real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.backups import redis
from ops.backups.kinds import differences
from ops.backups.reach import Said, run
from ops.errors import OpsError
from tests.infra.aipp.servers import PASSWORD, wait_until
from tests.ops.backup_servers import Here, cli
from tests.ops.backup_servers import redis as redis_server

KINDS = (
    ("set", "chat:title:1", "등대\n\x00 quoted \" ' binary"),
    ("rpush", "chat:messages:1", *(f"message {i}" for i in range(50))),
    ("hset", "chat:about:1", *(word for i in range(600) for word in (f"field {i}", f"value {i}"))),
    ("sadd", "chat:set", *(f"member {i}" for i in range(600))),
    ("zadd", "chat:index", *(word for i in range(300) for word in (f"{i / 3}", f"conversation {i}"))),
    ("xadd", "chat:stream", "1-1", "a", "1", "b", "2"),
    ("setex", "chat:session:1", "3600", "somebody"),
)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Here]:
    with redis_server(tmp_path / "old") as here:
        for command in KINDS:
            cli(here, *(word.replace("\x00", "") for word in command))
        cli(here, "-n", "3", "set", "elsewhere", "1")
        yield here


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Here]:
    with redis_server(tmp_path / "new") as here:
        yield here


def test_every_kind_of_key_comes_back_and_outlives_a_restart(old: Here, new: Here, tmp_path: Path) -> None:
    copy = redis.dump(old, tmp_path / "redis")
    assert copy.content["keys"] == 7
    assert copy.content["expiring"] == 1
    assert redis.is_empty(new)
    redis.load(new, tmp_path / "redis")
    assert differences(copy.content, redis.content(new)) == []
    assert int(cli(new, "ttl", "chat:session:1").out) > 3000
    redis.keep(new)
    cli(new, "set", "later", "1")
    cli(new, "config", "get", "appendonly")
    new.attempt(f"REDISCLI_AUTH={PASSWORD} redis-cli shutdown")
    wait_until(lambda: cli(new, "get", "later", check=False).out.strip() == "1", "the restart", 20)
    assert cli(new, "lrange", "chat:messages:1", "0", "0").out.strip() == "message 0"
    assert not (tmp_path / "new" / "data" / "before-restore").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("lset", "chat:messages:1", "3", "other"),
        ("hset", "chat:about:1", "field 3", "other"),
        ("srem", "chat:set", "member 3"),
        ("zadd", "chat:index", "7", "conversation 3"),
        ("xadd", "chat:stream", "2-1", "c", "3"),
        ("append", "chat:title:1", "!"),
        ("rename", "chat:title:1", "chat:title:2"),
        ("-n", "3", "move", "elsewhere", "4"),
    ],
)
def test_every_change_changes_the_sum(old: Here, command: tuple[str, ...]) -> None:
    before = redis.content(old)
    cli(old, *command)
    assert any("sha256" in each for each in differences(before, redis.content(old)))


def test_a_session_that_ends_meanwhile_is_no_difference(old: Here) -> None:
    before = redis.content(old)
    cli(old, "del", "chat:session:1")
    assert differences(before, redis.content(old)) == []


def test_a_broken_snapshot_changes_nothing(old: Here, new: Here, tmp_path: Path) -> None:
    redis.dump(old, tmp_path / "redis")
    file = tmp_path / "redis.rdb"
    file.write_bytes(file.read_bytes()[:-20])
    cli(new, "set", "mine", "1")
    life = redis._info(new, "server", "run_id")
    with pytest.raises(OpsError):
        redis.load(new, tmp_path / "redis")
    assert redis._info(new, "server", "run_id") == life
    assert sorted(path.name for path in (tmp_path / "new" / "data").iterdir()) == ["appendonlydir"]


@pytest.mark.parametrize("folder", ["appendonlydir", "restoring"])
def test_where_the_folders_cannot_be_switched_the_server_goes_on_writing(
    old: Here, new: Here, tmp_path: Path, folder: str
) -> None:
    redis.dump(old, tmp_path / "redis")
    cli(new, "set", "mine", "1")
    stuck = tmp_path / "bin" / "mv"
    stuck.parent.mkdir()
    stuck.write_text(f'#!/bin/sh\ncase $1 in *{folder}) echo no room >&2; exit 1;; esac\nexec /bin/mv "$@"\n')
    stuck.chmod(0o755)
    path = f"{stuck.parent}:{new.environment['PATH']}"
    broken = Here(name=new.name, environment={"PATH": path}, places=new.places)
    with pytest.raises(OpsError, match="nothing was changed: no room"):
        redis.load(broken, tmp_path / "redis")
    assert cli(new, "config", "get", "appendonly").out.split() == ["appendonly", "yes"]
    cli(new, "set", "later", "1")
    wait_until(lambda: "aof_rewrite_in_progress:0" in cli(new, "info", "persistence").out, "the file")
    cli(new, "shutdown", check=False)
    wait_until(lambda: cli(new, "get", "later", check=False).out.strip() == "1", "the restart", 20)
    assert cli(new, "get", "mine").out.strip() == "1"


def test_a_copy_made_while_somebody_writes_says_that_it_has_no_sum(old: Here, tmp_path: Path) -> None:
    class Busy(Here):
        def attempt(self, script: str, stdin: Path | None = None, stdout: Path | None = None) -> Said:
            cli(old, "incr", "busy")
            return super().attempt(script, stdin, stdout)

    copy = redis.dump(Busy(name=old.name, environment=old.environment, places=old.places), tmp_path / "redis")
    assert not copy.content
    assert "no sum" in copy.remark
    assert run(old, f"redis-check-rdb {tmp_path / 'redis.rdb'}")
