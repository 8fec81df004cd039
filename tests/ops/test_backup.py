"""Both commands on a stack whose kubectl leads to processes of this machine: Redis and Chroma, filled and emptied."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import ops.paths
from ops import backup, restore
from ops.backups import chroma, redis
from ops.backups.kinds import Copy, differences, summary
from ops.backups.manifest import read
from ops.backups.reach import Pod, Said, save
from ops.backups.stores import KINDS, Store, stores
from ops.credentials import stack_config
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.paths import StackPaths
from tests.infra.aipp.servers import PASSWORD
from tests.ops.backup_servers import HOME, Here, ask, cli
from tests.ops.backup_servers import chroma as chroma_server
from tests.ops.backup_servers import redis as redis_server
from tests.ops.test_backup_chroma import fill

KUBECTL = """#!{python}
import json, os, subprocess, sys
here = json.loads({servers!r})
words = sys.argv[1:]
namespace = words[words.index("-n") + 1]
if "get" in words:
    name = words[words.index("-l") + 1].partition("name=")[2].partition(",")[0]
    ready = [{{"type": "Ready", "status": "True"}}]
    items = [{{"metadata": {{"name": name + "-0"}}, "status": {{"conditions": ready}}}}]
    print(json.dumps({{"items": items if namespace + "/" + name in here else []}}))
elif "port-forward" in words:
    server = here[namespace + "/" + words[-2].removeprefix("pod/").removesuffix("-0")]
    print("Forwarding from 127.0.0.1:%d -> %s" % (server["number"], words[-1]), flush=True)
    sys.stdin.read() or __import__("time").sleep(600)
else:
    server = here[namespace + "/" + words[words.index("-c") + 1]]
    script = words[-1]
    for pod, place in server["places"].items():
        script = script.replace(pod, place)
    # Without -i the server's side gets no input, as with the real one.
    stdin = None if "-i" in words else subprocess.DEVNULL
    sys.exit(subprocess.run(["sh", "-c", script], env=server["environment"], stdin=stdin).returncode)
"""
STATE = {"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:local::aihub::a::b"}]}}


@dataclass
class Engine:
    """Pulumi's state, as `stack export` and `stack import` have it."""

    state: dict[str, Any]

    def ask(self, *arguments: str) -> str:
        if arguments[1] == "import":
            self.state = json.loads(Path(arguments[-1]).read_text())
        return json.dumps(self.state)


@dataclass
class Stack:
    """Stack ``local`` with its own two servers, and two empty ones in namespace ``empty``."""

    place: StackPaths
    redis: Here
    chroma: Here
    empty_redis: Here
    empty_chroma: Here
    engine: Engine
    out: Path

    def backup(self) -> Path:
        assert backup.run(self.place, self.out) == 0
        (folder,) = self.out.iterdir()
        return folder


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Here]]:
    """Four servers, by where kubectl finds them."""
    folder = tmp_path_factory.mktemp("servers")
    with (
        redis_server(folder / "redis") as old_redis,
        redis_server(folder / "empty-redis") as new_redis,
        chroma_server(folder / "chroma") as old_chroma,
        chroma_server(folder / "empty-chroma") as new_chroma,
    ):
        yield {
            "data/redis": old_redis,
            "data/chroma": old_chroma,
            "empty/redis": new_redis,
            "empty/chroma": new_chroma,
        }


@pytest.fixture
def stack(servers: dict[str, Here], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    known = {
        name: {"environment": dict(each.environment), "places": dict(each.places), "number": each.number}
        for name, each in servers.items()
    }
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL.format(python=sys.executable, servers=json.dumps(known)))
    program.chmod(0o755)
    kubectl = Kubectl(program=program, environment={})
    engine = Engine(STATE)
    monkeypatch.setattr(ops.paths, "PRIVATE", tmp_path / "private")
    for module in (backup, restore):
        monkeypatch.setattr(module, "resume", lambda _: type("Session", (), {"engine": engine, "kubectl": kubectl}))
    monkeypatch.setattr(Kubectl, "of", lambda _: kubectl)
    for name, server in servers.items():
        if name.endswith("redis"):
            cli(server, "flushall")
        else:
            for each in ask(server, "GET", HOME):
                ask(server, "DELETE", f"{HOME}/{each['name']}")
    cli(servers["data/redis"], "rpush", "chat:messages:1", "hello", "등대")
    fill(servers["data/chroma"], "documents", "cosine", 40)
    return Stack(
        StackPaths("local"),
        servers["data/redis"],
        servers["data/chroma"],
        servers["empty/redis"],
        servers["empty/chroma"],
        engine,
        tmp_path / "backups",
    )


def test_into_an_empty_namespace_and_over_what_was_lost(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stack.backup()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert [part.name for part in read(folder).parts] == ["redis", "chroma", "pulumi-state"]
    arguments: dict[str, Any] = {"into": "", "name": "", "replace": False}

    assert restore.run(stack.place, folder, **{**arguments, "into": "empty"}) == 0
    assert differences(redis.content(stack.redis), redis.content(stack.empty_redis)) == []
    assert differences(chroma.content(stack.chroma), chroma.content(stack.empty_chroma)) == []

    cli(stack.redis, "del", "chat:messages:1")
    cli(stack.redis, "set", "later", "1")
    ask(stack.chroma, "DELETE", f"{HOME}/documents")
    with pytest.raises(OpsError, match=r"not empty: data/redis-0; nothing was changed"):
        restore.run(stack.place, folder, **arguments)
    assert chroma.is_empty(stack.chroma)
    assert restore.run(stack.place, folder, **{**arguments, "replace": True}) == 0
    assert cli(stack.redis, "lrange", "chat:messages:1", "0", "-1").out.split() == ["hello", "등대"]
    assert cli(stack.redis, "exists", "later").out.strip() == "0"
    assert chroma.content(stack.chroma)["records"] == 40
    assert "all of it is as it was" in capsys.readouterr().out


def test_no_secret_is_in_a_backup(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stack.backup()
    whole = b"".join(path.read_bytes() for path in folder.iterdir()) + capsys.readouterr().out.encode()
    assert PASSWORD.encode() not in whole


def test_a_broken_file_is_refused_before_anything_changes(stack: Stack) -> None:
    folder = stack.backup()
    file = folder / "redis.rdb"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    (folder / "chroma.jsonl").unlink()
    with pytest.raises(OpsError, match=r"redis.rdb is not as it was written; chroma.jsonl is not there") as raised:
        restore.run(stack.place, folder, into="empty", name="", replace=True)
    assert "nothing was changed" in raised.value.fix
    assert redis.is_empty(stack.empty_redis)


def test_what_differs_afterwards_is_named(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stack.backup()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["parts"][0]["content"]["keys"] = 7
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert restore.run(stack.place, folder, into="empty", name="redis", replace=False) == 1
    assert "DIFFERS  keys: 7 -> 1" in capsys.readouterr().out
    assert chroma.is_empty(stack.empty_chroma)


def test_the_second_failing_says_that_the_first_was_restored(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stack.backup()

    def full(*_: object) -> None:
        raise OpsError("the volume is full", "make it larger")

    monkeypatch.setattr(chroma, "load", full)
    with pytest.raises(OpsError, match="the volume is full; restored before this: redis"):
        restore.run(stack.place, folder, into="empty", name="", replace=False)


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt(), OpsError("a", "b")])
def test_nothing_half_written_has_the_final_name(
    stack: Stack, trouble: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: object, base: Path) -> Copy:
        base.with_name("half").write_text("half")
        raise trouble

    monkeypatch.setattr(chroma, "dump", failing)
    with pytest.raises((OpsError, KeyboardInterrupt)) as raised:
        stack.backup()
    assert list(stack.out.iterdir()) == []
    if isinstance(trouble, OSError):
        assert "No space left on device" in str(raised.value)


def test_a_stream_that_breaks_off_is_noticed(stack: Stack) -> None:
    """The sum is made on the other side: a stream that ends early and well is no copy."""
    whole = Here.attempt

    class Broken(Here):
        def attempt(self, script: str, stdin: Path | None = None, stdout: Path | None = None) -> Said:
            said = whole(self, script, stdin, stdout)
            if stdout:
                stdout.write_bytes(stdout.read_bytes()[:-1])
            return said

    server = Broken(name="a", environment=stack.redis.environment)
    with pytest.raises(OpsError, match="did not arrive whole"):
        save(server, "echo hello", stack.out.with_name("file"))
    with pytest.raises(OpsError, match="the copy failed"):
        save(server, "echo hello; false", stack.out.with_name("file"))


def test_a_stack_that_is_not_there(stack: Stack) -> None:
    folder = stack.backup()
    with pytest.raises(OpsError, match="no ready pod in namespace nowhere"):
        restore.run(stack.place, folder, into="nowhere", name="", replace=False)
    with pytest.raises(OpsError, match=r"holds no manifest.json"):
        restore.run(stack.place, stack.out, into="", name="", replace=False)
    with pytest.raises(OpsError, match="no backup was named"):
        restore.run(stack.place, None, into="", name="", replace=False)
    with pytest.raises(OpsError, match="is a backup of stack local"):
        restore.run(StackPaths("wsl"), folder, into="", name="", replace=False)
    with pytest.raises(OpsError, match="the backup has no gitea"):
        restore.run(stack.place, folder, into="", name="gitea", replace=False)


def test_a_cluster_that_does_not_answer(tmp_path: Path) -> None:
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\necho connection refused >&2\nexit 1\n")
    program.chmod(0o755)
    kubectl = Kubectl(program=program, environment={})
    pod = Pod(kubectl=kubectl, namespace="data", pod="redis-0", container="redis")
    with pytest.raises(OpsError, match="connection refused"):
        redis.content(pod)
    with pytest.raises(OpsError, match="no way to its port"), pod.port(8000):
        pass


def test_state_is_put_back_only_when_named(stack: Stack) -> None:
    folder = stack.backup()
    with pytest.raises(OpsError, match="knows 1 resources; nothing was changed"):
        restore.run(stack.place, folder, into="", name=backup.STATE, replace=False)
    stack.engine.state = {"version": 3, "deployment": {}}
    assert restore.run(stack.place, folder, into="", name=backup.STATE, replace=False) == 0
    assert stack.engine.state == STATE


def test_which_stores_a_stack_has_follows_from_its_configuration() -> None:
    chat = [Store(name="redis", kind="redis", namespace="data"), Store(name="chroma", kind="chroma", namespace="data")]
    assert list(stores(stack_config("local"))) == chat
    dev = {store.name: store.namespace for store in stores(stack_config("dev"))}
    assert dev == {
        "redis": "aihub-data",
        "chroma": "aihub-data",
        "aipp-pgvector": "aipp",
        "aipp-redis": "aipp",
        "aipp-rabbitmq": "aipp",
    }
    assert all(store.kind in KINDS for store in stores(stack_config("dev")))


def test_vault_is_listed_by_name() -> None:
    names = backup.vault_names(stack_config("dev"))
    assert "secret/aihub: redisPassword" in names
    assert backup.vault_names(stack_config("local")) == []


def test_counts_for_people() -> None:
    assert summary({"keys": 3, "sha256": "a", "queues": ["a", "b"]}) == "3 keys, 2 queues"
    assert summary({}) == "-"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_who_does_not_own_the_stream_can_write_to_it(tmp_path: Path) -> None:
    """In a pod the ends of the stream belong to root, and the server's account may not open them by name."""

    class Nobody(Here):
        def attempt(self, script: str, stdin: Path | None = None, stdout: Path | None = None) -> Said:
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script]
            done = subprocess.run(command, capture_output=True)
            assert stdout
            stdout.write_bytes(done.stdout)
            return Said(status=done.returncode, out="", err=done.stderr.decode())

    save(Nobody(name="a", environment={}), "echo hello", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "hello\n"


def test_two_servers_of_one_kind_do_not_go_into_one_pod(stack: Stack) -> None:
    folder = stack.backup()
    manifest = json.loads((folder / "manifest.json").read_text())
    (part,) = (part for part in manifest["parts"] if part["name"] == "redis")
    manifest |= {"stack": "dev", "parts": [part, {**part, "name": "aipp-redis"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(OpsError, match="two parts would go into empty/redis-0") as raised:
        restore.run(StackPaths("dev"), folder, into="empty", name="", replace=True)
    assert "NAME=" in raised.value.fix
    assert redis.is_empty(stack.empty_redis)
