"""`make backup` of the three stores as they run, and `make restore` of it into empty ones made as docs/backup.md says.

Both commands run whole but for what this run has not: Pulumi's state of a `make up`, and the chat's own two stores.
"""

import json
import os
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.config import StackConfig
from infra.data.redis import AUTH_FOLDER
from ops import access, backup, restore
from ops.backups.kinds import Content
from ops.backups.stores import Store, pod_of, stores
from ops.paths import CHECKOUT
from ops.preview import ThrowawayPaths
from tests.live.common.kube import get, kubectl, node
from tests.live.dev import figures, services, tree
from tests.live.dev.operators import NAMESPACE
from tests.live.dev.platform import Platform

pytestmark = pytest.mark.live

EMPTY = "aipp-restored"
"""What docs/backup.md calls the namespace."""
ROWS, KEYS, QUEUE = 500, 200, "kept"
FILL = f"""CREATE TABLE kept AS
    SELECT n, md5(n::text) AS words, ARRAY[n % 7, n % 11, n % 13]::vector(3) AS embedding
    FROM generate_series(1, {ROWS}) AS n;
CREATE INDEX kept_nearest ON kept USING hnsw (embedding vector_l2_ops)"""
INDEX = "SELECT indexdef FROM pg_indexes WHERE indexname = 'kept_nearest'"


def recipe() -> str:
    """Return the shell lines by which docs/backup.md makes empty servers; they run in the tree that Argo CD follows."""
    page = (CHECKOUT / "docs" / "backup.md").read_text()
    lines = page.partition("```sh\n")[2].partition("```")[0]
    assert EMPTY in lines
    return lines


@pytest.fixture
def empty(platform: Platform) -> Iterator[str]:
    """Make empty servers; take them away afterwards."""
    search = f"{access.kubectl().parent}:{os.environ['PATH']}"
    shell = {**os.environ, "PATH": search, "KUBECONFIG": str(access.NODE_KUBECONFIG)}
    command = ["bash", "-euo", "pipefail", "-c", recipe()]
    try:
        done = subprocess.run(
            command, cwd=platform.manifests.folder, env=shell, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        yield EMPTY
    finally:
        kubectl("delete", "namespace", EMPTY, "--ignore-not-found", "--timeout=240s")


def of_the_services(stack: StackConfig) -> tuple[Store, ...]:
    """Return the stores that run here."""
    return tuple(each for each in stores(stack) if each.namespace == NAMESPACE)


def contents(namespace: str) -> Mapping[str, Content]:
    """Return store -> what it holds in a namespace, asked again."""
    return {each.name: each.does.content(pod_of(node(), each, namespace)) for each in of_the_services(tree.model())}


def fill(platform: Platform) -> None:
    """Write something into each of the three stores."""
    services.ask_database(FILL)
    login = f'REDISCLI_AUTH="$(cat {AUTH_FOLDER}/password)"; export REDISCLI_AUTH'
    script = f"{login}; for n in $(seq {KEYS}); do echo set kept:$n words-$n; done | redis-cli -e >/dev/null"
    kubectl("exec", "--namespace", NAMESPACE, "redis-0", "--", "sh", "-c", script)
    service = get("service", "rabbitmq", NAMESPACE)
    assert service is not None
    address = f"http://{service['spec']['clusterIP']}:15672/api/queues/{urllib.parse.quote('/', safe='')}/{QUEUE}"
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    manager.add_password(None, address, "aipp", platform.operators.values["aippQueuePassword"])
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
    asked = urllib.request.Request(
        address, data=b'{"durable": true}', method="PUT", headers={"Content-Type": "application/json"}
    )
    with opener.open(asked, timeout=10) as answer:
        assert answer.status in (201, 204)


def test_backup_is_restored_into_an_empty_namespace(
    platform: Platform, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(platform)
    before = contents(NAMESPACE)
    assert before["aipp-pgvector"]["tables"]["public.kept"]["rows"] == ROWS
    assert before["aipp-redis"]["keys"] == KEYS
    assert len(before["aipp-rabbitmq"]["queues"]) == 1
    assert contents(empty) != before

    state: dict[str, Any] = {"deployment": {"resources": []}}
    session = SimpleNamespace(kubectl=node(), engine=SimpleNamespace(ask=lambda *_: json.dumps(state)))
    monkeypatch.setattr(backup, "resume", lambda _: session)
    monkeypatch.setattr(restore, "Kubectl", SimpleNamespace(of=lambda _: node()))
    for command in (backup, restore):
        monkeypatch.setattr(command, "stack_config", lambda _: tree.model())
        monkeypatch.setattr(command, "stores", of_the_services)
    place = ThrowawayPaths(tree.STACK, tmp_path)

    begun = time.monotonic()
    assert backup.run(place, tmp_path / "backup") == 0
    figures.keep("backup", "three stores of the eight services: backup", time.monotonic() - begun)
    (folder,) = (tmp_path / "backup").iterdir()
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    secrets = platform.operators.values.values()
    assert not [name for name, content in kept.items() for secret in secrets if secret.encode() in content]

    begun = time.monotonic()
    for name in before:
        assert restore.run(place, folder, into=empty, name=name, replace=False) == 0, name
    figures.keep("backup", "the same into an empty namespace, and compared", time.monotonic() - begun)
    assert contents(empty) == before
    assert contents(NAMESPACE) == before  # the one in use was only read
    index = _ask(empty, INDEX)
    assert "USING hnsw" in index
    assert index == services.ask_database(INDEX)


def _ask(namespace: str, sql: str) -> str:
    """Return what the database of a namespace answers."""
    inside = ["psql", "-qtAX", "-h", "/var/run/postgresql", "-U", "aipp", "-d", "aipp", "-c", sql]
    return kubectl("exec", "--namespace", namespace, "pgvector-0", "--", *inside).strip()
