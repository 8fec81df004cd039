"""The exporters: the password stays in Redis' namespace and in a file, the card stays the engine's."""

import json
from string import Template

import pytest

from infra.observability.exporters import GpuExporter, GpuExporterArgs, redis_passwords
from infra.recorder import record
from tests.infra.observability.support import recorded
from tests.infra.support import container_of, of_kind, only, pod_of


def test_password_is_a_file_under_the_address_that_is_asked() -> None:
    recording = recorded("observability-of-our-own")
    (exporter,) = (each for each in of_kind(recording, "Deployment") if each.object_name == "redis-exporter")
    environment = {each["name"]: each["value"] for each in container_of(exporter.properties)["env"]}
    ((file, text),) = redis_passwords("redis.data.svc", 6379).items()
    filled = json.loads(Template(text).substitute(redisPassword="x"))
    assert filled == {environment["REDIS_ADDR"]: "x"}
    assert environment["REDIS_PASSWORD_FILE"] == f"/etc/redis-exporter/{file}"
    assert exporter.namespace == "data"
    assert "canary" not in str(exporter.properties)


def test_new_password_restarts_the_exporter() -> None:
    recording = recorded("observability-of-the-cluster")
    (exporter,) = (each for each in of_kind(recording, "Deployment") if each.object_name == "redis-exporter")
    assert exporter.properties["spec"]["template"]["metadata"]["annotations"]["aihub/secrets-version"]


@pytest.mark.parametrize("on_all_nodes", [True, False])
def test_card_is_looked_at_and_not_taken(on_all_nodes: bool) -> None:
    args = GpuExporterArgs(namespace="o", image="docker.io/x/y:1.0", runtime_class="nvidia", on_all_nodes=on_all_nodes)
    exporter = only(record(lambda: GpuExporter("gpu-exporter", args), stack="test"), "DaemonSet")
    container = container_of(exporter)
    assert "nvidia.com/gpu" not in container["resources"]["limits"]
    assert pod_of(exporter)["runtimeClassName"] == "nvidia"
    assert {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "utility"} in container["env"]
    assert ("nodeSelector" in pod_of(exporter)) is not on_all_nodes
