"""Harbor's projects, caches and robots: each robot may do what it needs, and no password is seen."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.config import parse
from infra.gitops import declare_workload, tree
from infra.program import deploy
from infra.recorder import SECRET, Recorded, Recording, record
from tests.infra.support import CANARIES, CONFIGS, config_file

WITH_HARBOR = CONFIGS / "valid" / "harbor-and-vendor-images.yaml"
FROM_THE_VENDOR = CONFIGS / "valid" / "vendor-images-from-the-vendor.yaml"
ROBOT = "harbor:index/robotAccount:RobotAccount"


def declared(file: Path = WITH_HARBOR, program: Any = deploy, **registry: Any) -> Recording:
    config = config_file(file)
    config["aihub:registry"] = {**config["aihub:registry"], **registry}
    return record(program, stack="test", config=config, secrets=CANARIES)


@pytest.fixture(scope="module")
def harbor() -> Recording:
    return declared()


def of_type(recording: Recording, kind: str) -> dict[str, Recorded]:
    return {each.name: each for each in recording.resources if each.type.startswith(f"harbor:index/{kind}:")}


def rights(robot: Recorded) -> dict[str, set[str]]:
    assert {each["kind"] for each in robot.properties["permissions"]} == {"project"}
    return {
        each["namespace"]: {f"{access['resource']}:{access['action']}" for access in each["accesses"]}
        for each in robot.properties["permissions"]
    }


def test_projects_are_scanned_limited_and_outlive_the_stack(harbor: Recording) -> None:
    projects = of_type(harbor, "project")
    assert {each.properties["name"]: each.properties["storageQuota"] for each in projects.values()} == {
        "aipp": 100,
        "chat": 100,
        "dockerhub-proxy": 50,
    }
    for project in projects.values():
        assert project.properties["vulnerabilityScanning"] is True
        assert project.retained


def test_only_a_cache_of_what_is_public_is_public(harbor: Recording) -> None:
    public = [name for name, project in of_type(harbor, "project").items() if project.properties["public"]]
    assert public == ["harbor-dockerhub-proxy"]


def test_only_the_cache_fetches_from_elsewhere(harbor: Recording) -> None:
    (source,) = of_type(harbor, "registry").values()
    assert (source.properties["providerName"], source.properties["endpointUrl"]) == (
        "docker-hub",
        "https://hub.docker.com",
    )
    # Harbor deletes no source that a project fetches from, and the project stays.
    assert source.retained
    fetching = {name for name, each in of_type(harbor, "project").items() if "registryId" in each.properties}
    assert fetching == {"harbor-dockerhub-proxy"}


def test_versions_of_copies_never_change_and_ours_may_be_pushed_again(harbor: Recording) -> None:
    (rule,) = of_type(harbor, "immutableTagRule").values()
    assert (rule.properties["projectId"], rule.properties["tagMatching"]) == ("harbor-aipp-id", "v*")


def test_what_is_kept(harbor: Recording) -> None:
    kept = {name: each.properties["rules"][0] for name, each in of_type(harbor, "retentionPolicy").items()}
    assert kept["harbor-chat-retention"]["mostRecentlyPushed"] == 30
    assert kept["harbor-dockerhub-proxy-retention"]["nDaysSinceLastPull"] == 30
    # Else an image that pods run by digest goes as soon as its tag is pushed again.
    assert all(rule["untaggedArtifacts"] is True for rule in kept.values())


def test_robots_have_least_rights(harbor: Recording) -> None:
    pull, push = {"repository:pull"}, {"repository:pull", "repository:push"}
    assert {robot.properties["name"]: rights(robot) for robot in of_type(harbor, "robotAccount").values()} == {
        "aihub-nodes": {"aipp": pull, "chat": pull, "dockerhub-proxy": pull},
        "aihub-builder": {"chat": push, "dockerhub-proxy": pull},
        "aihub-mirror": {"aipp": push},
    }


def test_nobody_pushes_copies_where_none_are_made() -> None:
    vendor = {**config_file(WITH_HARBOR)["aihub:registry"]["vendor"], "mirror": False}
    names = {robot.properties["name"] for robot in of_type(declared(vendor=vendor), "robotAccount").values()}
    assert names == {"aihub-nodes", "aihub-builder"}


def test_the_provider_checks_certificates(harbor: Recording) -> None:
    """Left out, it would trust anybody's, and send the administrator's password there."""
    (provider,) = (each for each in harbor.resources if each.type == "pulumi:providers:harbor")
    assert (provider.properties["insecure"], provider.properties["password"]) == ("false", SECRET)


def test_pushes_wait_for_their_project_and_log_in_as_their_own_robot(harbor: Recording) -> None:
    pushes = [
        each for each in harbor.resources if each.type in ("docker-build:index:Image", "docker-build:index:Index")
    ]
    assert len(pushes) >= 4
    for push in pushes:
        assert "harbor-chat" in {urn.rpartition("::")[2] for urn in push.depends_on}, push.name
        copies = push.type.endswith("Index")
        (login,) = [push.properties["registry"]] if copies else push.properties["registries"]
        assert login["username"] == ("robot$aihub-mirror" if copies else "robot$aihub-builder"), push.name
        assert login["password"] == SECRET


def test_copies_come_by_digest_and_go_to_a_version(harbor: Recording) -> None:
    copies = {
        each.properties["tag"]: each.properties["sources"]
        for each in harbor.resources
        if each.type == "docker-build:index:Index"
    }
    source = "registry.example.com:10003/enai/prod"
    assert copies == {
        "harbor.dev.unifiedmeta.net/aipp/front-next:v1.0.0": [f"{source}/front-next@sha256:{'1' * 64}"],
        "harbor.dev.unifiedmeta.net/aipp/linker:v1.0.0": [f"{source}/linker@sha256:{'2' * 64}"],
    }


def test_no_password_is_seen(harbor: Recording) -> None:
    seen = repr(harbor)
    assert not [canary for canary in CANARIES.values() if canary in seen]
    given = {each.properties["name"]: each.properties.get("secret") for each in harbor.resources if each.type == ROBOT}
    # Nodes are told elsewhere what it is; the other two are known to Harbor and this program alone.
    assert given == {"aihub-nodes": SECRET, "aihub-builder": None, "aihub-mirror": None}


def test_a_namespace_of_ours_gets_its_secret_and_argocds_gets_it_from_vault() -> None:
    recording = declared()
    secrets = {
        (each.kind, each.namespace) for each in recording.objects() if each.object_name.endswith("registry-pull")
    }
    assert ("Secret", "chat") in secrets
    assert not [namespace for _, namespace in secrets if namespace == "aipp"]

    config = config_file(WITH_HARBOR)
    stack = parse(config)
    files = tree("test", stack, declared(program=declare_workload))
    (text,) = (text for name, text in files.items() if name.endswith("aipp/k8s/base/secrets.yaml"))
    (pull,) = (each for each in yaml.safe_load_all(text) if each["metadata"]["name"] == "aipp-registry-pull")
    assert pull["spec"]["data"] == [
        {"secretKey": "harborPullPassword", "remoteRef": {"key": "aihub", "property": "harborPullPassword"}}
    ]
    written = pull["spec"]["target"]["template"]["data"][".dockerconfigjson"]
    login = {"username": "robot$aihub-nodes", "password": "{{ .harborPullPassword }}"}
    assert json.loads(written) == {"auths": {"harbor.dev.unifiedmeta.net": login}}
    assert "namespace.yaml" in {name.rpartition("/")[2] for name in files if "/aipp/k8s/base/" in name}


def test_without_copies_nodes_pull_from_the_vendor() -> None:
    """Alternative B of the installation: its Secret is made here, since the account's name is known."""
    recording = declared(FROM_THE_VENDOR)
    assert ("Secret", "gitlab-registry") in {(each.kind, each.object_name) for each in recording.objects()}
    assert not [each for each in recording.resources if each.type.startswith("harbor:")]
    accounts = [each for each in recording.objects() if each.kind == "ServiceAccount" and each.namespace == "aipp"]
    assert accounts
    for account in accounts:
        assert account.properties["imagePullSecrets"] == [{"name": "gitlab-registry"}]
