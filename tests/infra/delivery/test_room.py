"""What is declared for Argo CD, Image Updater and Argo Rollouts, in which order, and with which secrets."""

from typing import Any

import pytest
import yaml

from infra.config.secret_keys import SECRETS, Origin
from infra.program import deploy
from infra.recorder import SECRET, Recorded, Recording, record
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind

OURS, VAULT = "delivery-of-our-own", "blue-green-from-vault"


def recording_of(name: str, **rooms: Any) -> Recording:
    config = config_file(CONFIGS / "valid" / f"{name}.yaml")
    for room, fields in rooms.items():
        config[f"aihub:{room}"] = {**config.get(f"aihub:{room}", {}), **fields}
    return record(deploy, stack="test", config=config, secrets=CANARIES)


@pytest.fixture(scope="module")
def ours() -> Recording:
    return recording_of(OURS)


def release(recording: Recording, name: str) -> Recorded:
    (found,) = (each for each in recording.resources if each.name == f"{name}-release")
    return found


def named(recording: Recording, kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in of_kind(recording, kind) if each.object_name == name)
    return found.properties


def waits_for(recording: Recording, resource: Recorded, name: str) -> bool:
    """Say whether ``resource`` waits for a resource, through as many others as it takes.

    What a component waits for, its children wait for: they are registered when it has been.
    """
    by_urn = {each.urn: each for each in recording.resources}
    seen, todo = set(), [resource]
    while todo:
        one = todo.pop()
        seen.add(one.urn)
        todo += [by_urn[urn] for urn in (one.parent, *one.depends_on) if urn not in seen and urn in by_urn]
    return name in {by_urn[urn].name for urn in seen - {resource.urn}}


def test_argocd_gets_every_value_that_it_would_make_up(ours: Recording) -> None:
    values = release(ours, "argocd").properties["values"]
    assert values["configs"]["secret"] == {"createSecret": False}
    assert values["redisSecretInit"] == {"enabled": False}
    settings = named(ours, "Secret", "argocd-secret")
    assert settings["metadata"]["labels"]["app.kubernetes.io/part-of"] == "argocd"
    assert settings["stringData"] == SECRET
    assert named(ours, "Secret", "argocd-redis")["metadata"]["namespace"] == "argocd"
    repository = named(ours, "Secret", "argocd-repository")
    assert repository["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "repository"
    for secret in ("argocd-secret-secret", "argocd-redis-secret", "argocd-repository-secret"):
        assert waits_for(ours, release(ours, "argocd"), secret)


def test_of_what_is_in_each_secret_vault_is_told_the_same() -> None:
    recording = recording_of(VAULT)
    keys = {
        each.object_name: set(each.properties["spec"]["target"]["template"]["data"])
        for each in of_kind(recording, "ExternalSecret")
    }
    names = {"admin.password", "admin.passwordMtime", "server.secretkey", "oidc.clientSecret"}
    assert keys["argocd-secret"] == names
    assert keys["argocd-redis"] == {"auth"}
    assert keys["argocd-repository"] == {"type", "url", "username", "password"}
    assert keys["rollback-git"] == {"username", "password"}


def test_people_log_in_by_their_groups() -> None:
    values = release(recording_of(VAULT), "argocd").properties["values"]
    oidc = yaml.safe_load(values["configs"]["cm"]["oidc.config"])
    assert oidc["issuer"] == "https://login.example.com"
    assert oidc["clientSecret"] == "$oidc.clientSecret"
    assert values["configs"]["cm"]["url"] == "https://argocd.example.com"
    assert values["configs"]["rbac"]["policy.csv"].splitlines() == [
        "g, aihub-admins, role:admin",
        "g, aihub-users, role:readonly",
    ]
    assert values["configs"]["rbac"]["policy.default"] == ""


def test_without_a_login_there_are_no_roles_and_without_a_host_no_ingress() -> None:
    values = release(recording_of(OURS, delivery={"argocd": {}}), "argocd").properties["values"]
    assert "oidc.config" not in values["configs"]["cm"]
    assert "ingress" not in values["server"]


def test_image_updater_asks_a_registry_of_our_own_through_its_service(ours: Recording) -> None:
    (entry,) = release(ours, "argocd-image-updater").properties["values"]["config"]["registries"]
    assert entry["prefix"] == "registry.local:5000"
    assert entry["api_url"] == "http://registry.registry.svc:5000"
    assert entry["insecure"] is True
    assert "credentials" not in entry


def test_image_updater_logs_in_to_a_registry_that_asks_for_it() -> None:
    (entry,) = release(recording_of(VAULT), "argocd-image-updater").properties["values"]["config"]["registries"]
    assert entry["api_url"] == "https://harbor.example.com"
    assert entry["insecure"] is False
    assert entry["credentials"] == "pullsecret:argocd/argocd-registry-pull"


def test_images_and_controllers_come_before_applications_and_updates_last(ours: Recording) -> None:
    applications = {each.object_name: each for each in of_kind(ours, "Application")}
    for name in ("backend-chat", "frontend-chat"):
        for first in ("api-image", "engine-image", "page-image", "argocd-release", "argo-rollouts-release"):
            assert waits_for(ours, applications[name], first), (name, first)
    for first in ("backend-chat-application", "frontend-chat-application", "argocd-image-updater-release"):
        assert waits_for(ours, applications["updates-chat"], first), first
    assert waits_for(ours, release(ours, "argocd-image-updater"), "argocd-release")


def test_a_cluster_that_has_argocd_gets_the_application_only() -> None:
    recording = recording_of("vault-and-argocd")
    assert not [each for each in recording.resources if each.type == "kubernetes:helm.sh/v3:Release"]
    assert [each.object_name for each in of_kind(recording, "Application")] == ["backend-chat"]


def test_the_rollback_may_read_and_nothing_else(ours: Recording) -> None:
    rules = [
        (each.namespace, rule["resources"], rule["verbs"], rule.get("resourceNames"))
        for each in of_kind(ours, "Role")
        if each.object_name.startswith("rollback")
        for rule in each.properties["rules"]
    ]
    assert sorted(rules, key=str) == sorted(
        [
            ("argocd", ["imageupdaters"], ["get"], ["chat"]),
            ("chat", ["deployments"], ["get"], ["engine"]),
            ("chat", ["replicasets"], ["get"], None),
            ("chat", ["rollouts"], ["get"], ["api"]),
        ],
        key=str,
    )
    pod = named(ours, "CronJob", "rollback")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    (token,) = (each for each in pod["volumes"] if each["name"] == "account")
    assert token["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 600


def test_the_rollback_writes_where_render_writes(ours: Recording) -> None:
    pod = named(ours, "CronJob", "rollback")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    options = dict(option.removeprefix("--").split("=", 1) for option in pod["containers"][0]["args"])
    followed = named(ours, "Application", "backend-chat")["spec"]["source"]["path"]
    assert options["overlay"] == f"{followed}/kustomization.yaml"
    assert options["refused"].startswith(named(ours, "Application", "updates-chat")["spec"]["source"]["path"])
    assert options["rollout"] == "chat/api"
    assert options["updater"] == "argocd/chat"


def test_nobody_is_asked_for_a_secret_and_people_get_those_they_use() -> None:
    rows = {secret.name: secret for secret in SECRETS if secret.name.startswith(("argocd", "analysis", "delivery"))}
    assert all(row.origin is not Origin.GIVEN for row in rows.values())
    derived = {name for name, row in rows.items() if row.derivation}
    assert derived == {"argocdAdminHash", "analysisKeySha256"}


def test_rollouts_has_no_rights_at_routers(ours: Recording) -> None:
    values = release(ours, "argo-rollouts").properties["values"]
    assert not any(values["providerRBAC"]["providers"].values())
