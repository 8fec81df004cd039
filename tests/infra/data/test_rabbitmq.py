"""RabbitMQ: made by its definitions, known by one name, held back before memory runs out."""

import json
from typing import Any

import pytest

from infra.data.rabbitmq import RabbitMq, RabbitMqArgs, configuration, definitions_files
from infra.recorder import Recording, record
from infra.secrets.files import fill
from tests.infra.support import container_of, only, pod_of


@pytest.fixture(scope="module")
def recording() -> Recording:
    args = RabbitMqArgs(
        namespace="aipp",
        image="docker.io/library/rabbitmq:3.13.7-management",
        definitions="rabbitmq-definitions",
        definitions_version="abc",
        storage_class="longhorn",
        storage_gib=5,
        cpu_millicores=1000,
        memory_mib=1000,
    )
    return record(lambda: RabbitMq("rabbitmq", args), stack="test")


def definitions() -> dict[str, Any]:
    (text,) = definitions_files("aipp", "aippQueuePassword").values()
    return dict(json.loads(fill(text, {"aippQueuePassword": "canary"})))


def test_one_account_with_all_of_one_virtual_host_and_no_guest() -> None:
    whole = definitions()
    assert [(user["name"], user["password"], user["tags"]) for user in whole["users"]] == [
        ("aipp", "canary", ["management"])
    ]
    assert [each["vhost"] for each in whole["permissions"]] == ["/"]
    assert {"queues", "exchanges"}.isdisjoint(whole)


def test_its_name_is_not_the_pods_so_that_another_pod_finds_its_data(recording: Recording) -> None:
    variables = {each["name"]: each["value"] for each in container_of(only(recording, "StatefulSet"))["env"]}
    assert variables["RABBITMQ_NODENAME"] == "rabbit@localhost"
    assert variables["RABBITMQ_MNESIA_BASE"].startswith("/var/lib/rabbitmq/")
    # Everything else of the image is read-only.
    assert variables["RABBITMQ_LOG_BASE"].startswith("/var/lib/rabbitmq/")
    mounts = container_of(only(recording, "StatefulSet"))["volumeMounts"]
    assert {"name": "data", "mountPath": "/var/lib/rabbitmq"} in mounts


def test_publishers_are_held_back_before_the_memory_ends() -> None:
    assert "vm_memory_high_watermark.absolute = 600MiB" in configuration(1000).splitlines()


def test_page_metrics_and_queue_have_a_port_each(recording: Recording) -> None:
    ports = {each["name"]: each["port"] for each in only(recording, "Service")["spec"]["ports"]}
    assert ports == {"amqp": 5672, "management": 15672, "metrics": 15692}


def test_password_stands_in_the_secret_alone(recording: Recording) -> None:
    assert set(only(recording, "ConfigMap")["data"]) == {"rabbitmq.conf", "enabled_plugins"}
    secrets = [
        volume["secret"]["secretName"]
        for volume in pod_of(only(recording, "StatefulSet"))["volumes"]
        if "secret" in volume
    ]
    assert secrets == ["rabbitmq-definitions"]


def test_silent_node_is_kubernetes_own_matter_unless_said(recording: Recording) -> None:
    assert "tolerations" not in pod_of(only(recording, "StatefulSet"))
