"""RabbitMQ: a real server's definitions, taken in by another one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.data.rabbitmq import definitions_files
from ops.backups import rabbitmq
from ops.backups.kinds import differences
from ops.backups.reach import run
from ops.errors import OpsError
from tests.infra.aipp.servers import PASSWORD
from tests.ops.backup_servers import Here
from tests.ops.backup_servers import rabbitmq as rabbitmq_server

DECLARED: dict[str, list[dict[str, Any]]] = {
    "queues": [
        {"name": "work", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {"x-max-length": 5}},
        {"name": "done", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}},
    ],
    "exchanges": [
        {"name": "topics", "vhost": "/", "type": "topic", "durable": True, "auto_delete": False, "internal": False,
         "arguments": {}}
    ],
    "bindings": [
        {"source": "topics", "vhost": "/", "destination": "work", "destination_type": "queue", "routing_key": "a.*",
         "arguments": {}}
    ],
    "policies": [
        {"vhost": "/", "name": "short", "pattern": "^work$", "apply-to": "queues", "priority": 1,
         "definition": {"message-ttl": 60000}}
    ],
}  # fmt: skip


def server() -> str:
    return definitions_files("aipp", "queuePassword")["definitions.json"].replace("${queuePassword}", PASSWORD)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    file = tmp_path_factory.mktemp("old") / "definitions.json"
    file.write_text(json.dumps(DECLARED))
    with rabbitmq_server(server()) as here:
        assert rabbitmq.is_empty(here)
        run(here, "rabbitmqctl -q import_definitions", file)
        yield here


@pytest.fixture(scope="module")
def new() -> Iterator[Here]:
    with rabbitmq_server(server()) as here:
        yield here


def test_definitions_come_back_and_no_account_is_in_the_file(old: Here, new: Here, tmp_path: Path) -> None:
    assert not rabbitmq.is_empty(old)
    copy = rabbitmq.dump(old, tmp_path / "queue")
    assert {part: len(copy.content[part]) for part in DECLARED} == {
        "queues": 2, "exchanges": 1, "bindings": 1, "policies": 1
    }  # fmt: skip
    written = copy.files[0].read_text()
    assert "password" not in written
    assert "users" not in written
    rabbitmq.load(new, tmp_path / "queue")
    assert differences(copy.content, rabbitmq.content(new)) == []
    assert "aipp" in run(new, "rabbitmqctl -q list_users")


def test_what_is_there_besides_stays_and_what_is_lost_is_named(old: Here, new: Here, tmp_path: Path) -> None:
    copy = rabbitmq.dump(old, tmp_path / "queue")
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"queues": [{**DECLARED["queues"][1], "name": "mine"}]}))
    run(new, "rabbitmqctl -q import_definitions", mine)
    rabbitmq.load(new, tmp_path / "queue")
    assert differences(copy.content, rabbitmq.content(new)) == []
    assert "mine" in run(new, "rabbitmqctl -q list_queues name")
    run(new, "rabbitmqctl -q delete_queue work")
    wrong = differences(copy.content, rabbitmq.content(new))
    assert wrong == ["queues: 1 of 2 are missing", "bindings: 1 of 1 are missing"]


def test_a_refused_definition_is_an_error(new: Here, tmp_path: Path) -> None:
    (tmp_path / "queue.definitions.json").write_text(json.dumps({"queues": [{"name": "x", "vhost": "nowhere"}]}))
    with pytest.raises(OpsError):
        rabbitmq.load(new, tmp_path / "queue")
