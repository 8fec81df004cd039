"""What is special about each of the eight."""

from typing import Any

import pytest
import yaml

from infra.config.aipp_services import sounds_secret
from infra.program import deploy
from infra.recorder import Recording
from policy.rules import OBJECT_RULES, default_deny
from tests.infra.aipp.support import configured, declared, environment, of_package, spec_of, workload

EIGHT = {
    "pgvector": "StatefulSet",
    "redis": "StatefulSet",
    "rabbitmq": "StatefulSet",
    "enai-front": "Deployment",
    "enai-backend": "Deployment",
    "enai-data-processor": "Deployment",
    "enai-linker": "Deployment",
    "enai-scheduler": "Deployment",
}


@pytest.fixture(scope="module")
def recording() -> Recording:
    return declared()


def kinds(recording: Recording) -> dict[str, str]:
    return {each.object_name: each.kind for each in of_package(recording) if each.kind in {"Deployment", "StatefulSet"}}


def test_all_eight_are_there_by_their_names(recording: Recording) -> None:
    assert kinds(recording) == EIGHT


@pytest.mark.parametrize("name", ["aipp-from-vault", "aipp-without-a-gpu"])
def test_every_object_keeps_every_rule(name: str) -> None:
    manifests = [each.properties for each in declared(name).objects()]
    assert [mistake for each in manifests for rule in OBJECT_RULES for mistake in rule(each)] == []
    assert list(default_deny(manifests)) == []


def test_one_of_each_but_the_page(recording: Recording) -> None:
    spread = {name: workload(recording, name)["spec"] for name in EIGHT}
    assert {name for name, spec in spread.items() if spec["replicas"] != 1} == {"enai-front"}
    assert spread["enai-front"]["replicas"] == 2
    assert spread["enai-front"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert "topologySpreadConstraints" in spread["enai-front"]["template"]["spec"]
    recreated = {name for name, spec in spread.items() if spec.get("strategy") == {"type": "Recreate"}}
    assert recreated == set(EIGHT) - {"enai-front", "pgvector", "redis", "rabbitmq"}
    (budget,) = (each for each in of_package(recording) if each.kind == "PodDisruptionBudget")
    assert (budget.object_name, budget.properties["spec"]["maxUnavailable"]) == ("enai-front", 1)


def test_one_page_needs_no_budget_that_would_hold_up_a_node() -> None:
    assert not [each for each in of_package(declared("aipp-without-a-gpu")) if each.kind == "PodDisruptionBudget"]


def test_scheduler_holds_what_one_pod_may_hold(recording: Recording) -> None:
    claims = {each.object_name: each for each in of_package(recording) if each.kind == "PersistentVolumeClaim"}
    exclusive = [name for name, each in claims.items() if each.properties["spec"]["accessModes"] != ["ReadWriteOnce"]]
    assert exclusive == ["enai-scheduler-exclusive"]
    assert claims["enai-scheduler-exclusive"].properties["spec"]["accessModes"] == ["ReadWriteOncePod"]
    mounted = [volume.get("persistentVolumeClaim") for volume in spec_of(recording, "enai-scheduler")["volumes"]]
    assert {"claimName": "enai-scheduler-exclusive"} in mounted
    assert "exclusive" not in str(spec_of(declared("aipp-without-a-gpu"), "enai-scheduler"))


def test_a_folder_that_is_kept_has_a_claim_of_its_own() -> None:
    recording = declared(changes={"aipp.backend.volumes": {"uploads": {"folder": "/app/uploads", "storageGib": 9}}})
    (claim,) = (each for each in of_package(recording) if each.object_name == "enai-backend-uploads")
    assert claim.retained
    assert claim.properties["spec"]["resources"]["requests"]["storage"] == "9Gi"
    spec = spec_of(recording, "enai-backend")
    assert {"name": "kept-uploads", "persistentVolumeClaim": {"claimName": "enai-backend-uploads"}} in spec["volumes"]
    assert {"name": "kept-uploads", "mountPath": "/app/uploads"} in spec["containers"][0]["volumeMounts"]


def test_only_the_backend_changes_tables(recording: Recording) -> None:
    spring = ("enai-backend", "enai-data-processor", "enai-scheduler")
    migrating = {name: environment(recording, name)["SPRING_LIQUIBASE_ENABLED"] for name in spring}
    assert migrating == {"enai-backend": "true", "enai-data-processor": "false", "enai-scheduler": "false"}


def test_every_session_at_the_database_has_the_name_that_the_lock_is_judged_by(recording: Recording) -> None:
    (step,) = (each for each in spec_of(recording, "enai-backend")["initContainers"] if each["name"] == "release-lock")
    (known,) = (each["value"].split(",") for each in step["env"] if each["name"] == "KNOWN_SESSIONS")
    assert "enai-backend" not in known
    for name in ("enai-backend", "enai-data-processor", "enai-scheduler"):
        assert f"ApplicationName={name}&" in environment(recording, name)["SPRING_DATASOURCE_URL"]
    assert environment(recording, "enai-linker")["PGAPPNAME"] == "enai-linker"
    assert {"enai-data-processor", "enai-scheduler", "enai-linker"} < set(known)


def test_linker_has_its_card_and_its_memory_counts_shared_memory(recording: Recording) -> None:
    spec = spec_of(recording, "enai-linker")
    (container,) = spec["containers"]
    assert container["resources"]["limits"] == {"cpu": "4000m", "memory": "16384Mi", "nvidia.com/gpu": "1"}
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["shared-memory"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "2048Mi"}
    assert {"name": "shared-memory", "mountPath": "/dev/shm"} in container["volumeMounts"]
    assert {"name": "writable-0", "mountPath": "/app/cache"} in container["volumeMounts"]
    assert "runtimeClassName" not in spec
    ours = {"gpu.count": 2, "gpu.memoryGib": 16, "gpu.nodes": "all"}
    assert spec_of(declared(changes=ours), "enai-linker")["runtimeClassName"] == "nvidia"


@pytest.mark.parametrize(
    ("changes", "tuning"),
    [
        ({}, {"precision": "float16", "attention": "sdpa", "batch_size": 8}),
        ({"aipp.linker.batchSize": 4}, {"precision": "float16", "attention": "sdpa", "batch_size": 4}),
        (
            {"aipp.linker.card": "ampere"},
            {"precision": "bfloat16", "attention": "flash_attention_2", "batch_size": 32},
        ),
    ],
    ids=["t4", "t4-smaller", "newer"],
)
def test_an_older_card_has_its_fallbacks(changes: dict[str, Any], tuning: dict[str, Any]) -> None:
    recording = declared(changes=changes)
    (text,) = (
        each.properties["data"]["linker.yaml"]
        for each in of_package(recording)
        if each.object_name.startswith("enai-linker-config-")
    )
    card = changes.get("aipp.linker.card", "turing")
    assert yaml.safe_load(text) == {"card": card, **tuning}
    assert environment(recording, "enai-linker")["LINKER_PRECISION"] == tuning["precision"]


def test_without_a_gpu_the_other_seven_are_deployed() -> None:
    assert set(kinds(declared("aipp-without-a-gpu"))) == set(EIGHT) - {"enai-linker"}


def test_notice_names_field_and_consequence(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda message, *_: said.append(message))
    declared("aipp-without-a-gpu")
    assert [message.split(",")[0] for message in said] == ["aihub:aipp.linker.gpuCount is 0: enai-linker is left out"]
    declared()
    assert len(said) == 1


def test_pods_of_a_silent_node_are_given_up_when_the_field_says(recording: Recording) -> None:
    for name in EIGHT:
        tolerations = spec_of(recording, name)["tolerations"]
        assert {each["tolerationSeconds"] for each in tolerations} == {60}, name
        assert {each["key"].partition("/")[2] for each in tolerations} == {"not-ready", "unreachable"}
    moved = declared(changes={"aipp.moveAfterSeconds": 5})
    assert spec_of(moved, "redis")["tolerations"][0]["tolerationSeconds"] == 5


def test_secrets_stand_in_files_or_are_taken_from_a_secret(recording: Recording) -> None:
    (container,) = spec_of(recording, "enai-backend")["containers"]
    taken = {each["name"]: each["valueFrom"] for each in container["env"] if "valueFrom" in each}
    assert taken == {
        "DB_PASSWORD": {"secretKeyRef": {"name": "enai-backend-secrets", "key": "env.DB_PASSWORD"}},
        "JWT_SECRET": {"secretKeyRef": {"name": "enai-backend-secrets", "key": "env.JWT_SECRET"}},
    }
    settings = environment(recording, "enai-backend")
    assert settings["SPRING_CONFIG_IMPORT"] == "configtree:/etc/aipp/secrets/"
    assert settings["SPRING_PROFILES_ACTIVE"] == "prod"
    assert not [variable for variable in settings if sounds_secret(variable)]


def test_vault_has_an_entry_for_each_store_and_one_for_what_services_name(recording: Recording) -> None:
    asked = {
        (entry["remoteRef"]["key"], entry["remoteRef"]["property"])
        for each in of_package(recording)
        if each.kind == "ExternalSecret"
        for entry in each.properties["spec"]["data"]
    }
    assert asked == {
        ("aipp/pgvector", "aippDatabasePassword"),
        ("aipp/redis", "aippRedisPassword"),
        ("aipp/rabbitmq", "aippQueuePassword"),
        ("aipp/services", "jwtSecret"),
    }


def test_two_ways_in_each_with_a_certificate(recording: Recording) -> None:
    ways = {each.object_name: each.properties for each in of_package(recording) if each.kind == "Ingress"}
    assert {name: way["spec"]["tls"] for name, way in ways.items()} == {
        "aipp": [{"hosts": ["aipp.example.com"], "secretName": "aipp-tls"}],
        "rabbitmq": [{"hosts": ["queue.example.com"], "secretName": "rabbitmq-tls"}],
    }
    (rule,) = ways["aipp"]["spec"]["rules"]
    paths = {each["path"]: each["backend"]["service"]["name"] for each in rule["http"]["paths"]}
    assert paths == {"/": "enai-front", "/api": "enai-backend"}


def test_images_are_pulled_with_the_secret_that_is_named(recording: Recording) -> None:
    accounts = [each.properties for each in of_package(recording) if each.kind == "ServiceAccount"]
    assert len(accounts) == 8
    assert all(each["imagePullSecrets"] == [{"name": "gitlab-registry"}] for each in accounts)


def test_argocd_gets_an_application_and_pulumi_keeps_namespace_policies_and_secrets() -> None:
    recording = declared("aipp-by-argocd", run=deploy)
    assert {each.kind for each in of_package(recording)} == {"NetworkPolicy", "Secret"}
    (application,) = (each.properties for each in recording.objects() if each.kind == "Application")
    assert application["spec"]["source"]["path"] == "gitops-apps/apps/aipp/k8s/overlays/test"
    assert application["spec"]["destination"]["namespace"] == "aipp"


def test_with_vault_argocd_owns_the_namespace_too() -> None:
    changes = {"aipp.delivery": "argocd", "delivery.repository": "https://git.example.com/platform/gitops.git"}
    recording = declared(changes=changes, run=deploy)
    assert not of_package(recording)
    (application,) = (each.properties for each in recording.objects() if each.kind == "Application")
    # ExternalSecrets get fields from the API server.
    assert application["metadata"]["annotations"] == {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}
    assert "aipp" not in {each.object_name for each in recording.objects() if each.kind == "Namespace"}
    # Where Pulumi makes the Secret that images are pulled with, it needs the namespace before Argo CD comes.
    pulls = {**changes, "aipp.pullSecret": None, "registry.username": "robot"}
    assert {each.kind for each in of_package(declared(changes=pulls, run=deploy))} == {"NetworkPolicy", "Secret"}


def test_absent_unless_configured() -> None:
    assert not of_package(declared("smallest"))
    assert configured().delivery == "pulumi"
