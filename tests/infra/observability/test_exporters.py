"""The exporters: the password stays in Redis' namespace and in a file, the card stays the engine's."""

import json
from string import Template
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml

from infra.aipp.steps import OWN_SESSIONS
from infra.aipp.tree import base
from infra.config import parse
from infra.gitops import declare_workload
from infra.observability.gpu_exporter import GpuExporter, GpuExporterArgs
from infra.observability.store_exporters import redis_passwords
from infra.program import deploy
from infra.recorder import Recorded, Recording, record
from tests.infra.observability.support import recorded
from tests.infra.support import CANARIES, CONFIGS, config_file, container_of, of_kind, only, pod_of


def test_password_is_a_file_under_the_address_that_is_asked() -> None:
    recording = recorded("observability-of-our-own")
    (exporter,) = (each for each in of_kind(recording, "Deployment") if each.object_name == "redis-exporter")
    environment = {each["name"]: each["value"] for each in container_of(exporter.properties)["env"]}
    ((file, text),) = redis_passwords("redis.data.svc", 6379, "redisPassword").items()
    filled = json.loads(Template(text).substitute(redisPassword="x"))
    assert filled == {environment["REDIS_ADDR"]: "x"}
    assert environment["REDIS_PASSWORD_FILE"] == f"/etc/redis-exporter/{file}"
    assert exporter.namespace == "data"
    assert "canary" not in str(exporter.properties)


def test_new_password_restarts_the_exporter() -> None:
    recording = recorded("observability-of-the-cluster")
    (exporter,) = (each for each in of_kind(recording, "Deployment") if each.object_name == "redis-exporter")
    assert exporter.properties["spec"]["template"]["metadata"]["annotations"]["aihub/secrets-version"]


WATCHED = "aipp-watched-by-the-cluster"


def deployments(recording: Recording) -> dict[str, Recorded]:
    return {each.object_name: each for each in of_kind(recording, "Deployment")}


def test_aipps_stores_are_asked_in_their_own_namespace() -> None:
    found = deployments(recorded(WATCHED))
    exporters = {name: each for name, each in found.items() if name.endswith("-exporter")}
    assert {name: each.namespace for name, each in exporters.items()} == {
        "redis-exporter": "data",
        "aipp-redis-exporter": "aipp",
        "aipp-postgres-exporter": "aipp",
    }
    (secret,) = (
        each for each in of_kind(recorded(WATCHED), "ExternalSecret") if each.object_name == "aipp-postgres-exporter"
    )
    assert {each["remoteRef"]["property"] for each in secret.properties["spec"]["data"]} == {"aippDatabasePassword"}


def test_postgres_exporter_is_no_migration() -> None:
    container = container_of(deployments(recorded(WATCHED))["aipp-postgres-exporter"].properties)
    environment = {each["name"]: each["value"] for each in container["env"]}
    address, _, options = environment["DATA_SOURCE_URI"].partition("?")
    assert address == "pgvector.aipp.svc:5432/aipp"
    assert dict(parse_qsl(options))["application_name"] in OWN_SESSIONS
    (mount,) = (each["mountPath"] for each in container["volumeMounts"] if each["name"] == "passwords")
    assert environment["DATA_SOURCE_PASS_FILE"] == f"{mount}/password"


def test_images_of_the_exporters_are_pulled_like_the_services() -> None:
    (account,) = (
        each for each in of_kind(recorded(WATCHED), "ServiceAccount") if each.object_name == "aipp-redis-exporter"
    )
    assert account.properties["imagePullSecrets"] == [{"name": "gitlab-registry"}]


def test_images_are_pulled_with_the_login_of_the_registry() -> None:
    config = config_file(CONFIGS / "valid" / f"{WATCHED}.yaml")
    config["aihub:registry"]["username"] = "puller"
    del config["aihub:aipp"]["pullSecret"]
    recording = record(deploy, stack="test", config=config, secrets=CANARIES)
    secrets = {(each.namespace, each.object_name) for each in of_kind(recording, "Secret")}
    accounts = [each for each in of_kind(recording, "ServiceAccount") if each.object_name.endswith("-exporter")]
    assert len(accounts) == 3
    for each in accounts:
        (pull,) = each.properties["imagePullSecrets"]
        assert (each.namespace, pull["name"]) in secrets


def test_where_the_agent_keeps_passwords_out_of_secrets_no_exporter_makes_one() -> None:
    config = config_file(CONFIGS / "valid" / f"{WATCHED}.yaml")
    config["aihub:secrets"]["vault"]["access"] = {"address": "https://vault.example.com"}
    config["aihub:aipp"]["secretsBy"] = "agent"
    recording = record(deploy, stack="test", config=config, secrets=CANARIES)
    assert not [each for each in recording.objects() if each.object_name.startswith(("aipp-redis-ex", "aipp-postgres"))]
    assert "aihub-redis-exporter" in {each.object_name for each in of_kind(recording, "PodMonitor")}


def with_argocd(name: str) -> dict[str, Any]:
    config = config_file(CONFIGS / "valid" / f"{name}.yaml")
    config["aihub:aipp"] |= {"delivery": "argocd"}
    return {**config, "aihub:delivery": {"repository": "https://git.example.com/platform/gitops.git"}}


def test_each_object_of_monitoring_has_one_owner() -> None:
    """In the services' namespace Argo CD, which gets it from Git; everywhere else Pulumi."""
    config = with_argocd(WATCHED)
    by_pulumi = record(deploy, stack="test", config=config, secrets=CANARIES)
    assert not [each for each in by_pulumi.objects() if each.namespace == "aipp"]
    watched = {each.object_name for each in of_kind(by_pulumi, "PodMonitor")}
    names = ("enai-backend", "aipp-rabbitmq", "aipp-redis-exporter", "aipp-postgres-exporter")
    assert {f"aihub-{name}" for name in names} <= watched
    stack = parse(config)
    in_git = base(stack, "test", record(declare_workload, stack="test", config=config, secrets=CANARIES))
    assert {"aipp-redis-exporter.yaml", "aipp-postgres-exporter.yaml"} <= in_git.keys()
    kinds = {document["kind"] for text in in_git.values() for document in yaml.safe_load_all(text)}
    assert not kinds & {"PodMonitor", "PrometheusRule"}
    assert "monitoring" not in {d["metadata"].get("namespace") for t in in_git.values() for d in yaml.safe_load_all(t)}


@pytest.mark.parametrize("on_all_nodes", [True, False])
def test_card_is_looked_at_and_not_taken(on_all_nodes: bool) -> None:
    args = GpuExporterArgs(namespace="o", image="docker.io/x/y:1.0", runtime_class="nvidia", on_all_nodes=on_all_nodes)
    exporter = only(record(lambda: GpuExporter("gpu-exporter", args), stack="test"), "DaemonSet")
    container = container_of(exporter)
    assert "nvidia.com/gpu" not in container["resources"]["limits"]
    assert pod_of(exporter)["runtimeClassName"] == "nvidia"
    assert {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "utility"} in container["env"]
    assert ("nodeSelector" in pod_of(exporter)) is not on_all_nodes
