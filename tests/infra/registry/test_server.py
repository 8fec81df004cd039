"""The registry's server: what it stores, whom it lets in, how it cleans up."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from infra.recorder import Recording, record
from infra.registry.server import FORGET_UNTAGGED, RegistryServer, RegistryServerArgs
from infra.registry.server_config import configuration
from tests.infra.support import container_of, only, pod_of


def declared(**changes: Any) -> Recording:
    args: dict[str, Any] = {
        "namespace": "registry",
        "image": "localhost/aihub/registry:2.8.2",
        "port": 5000,
        "listen_address": "127.0.0.1",
        "storage_class": "local-path",
        "storage_gib": 20,
        "garbage_collection": "0 4 * * 0",
        **changes,
    }
    return record(lambda: RegistryServer("registry", RegistryServerArgs(**args)), stack="test")


def test_nodes_reach_it_on_the_port_of_its_address() -> None:
    (port,) = container_of(only(declared(port=5001), "StatefulSet"))["ports"]
    assert port == {"name": "registry", "containerPort": 5001, "hostPort": 5001, "hostIP": "127.0.0.1"}


def test_open_without_accounts_and_plain_without_certificate() -> None:
    parsed = yaml.safe_load(only(declared(), "ConfigMap")["data"]["config.yml"])
    assert "auth" not in parsed
    assert "tls" not in parsed["http"]
    # A cached description of a layer that was collected would make a push leave that layer out.
    assert "cache" not in parsed["storage"]


def test_metrics_have_a_port_of_their_own_only_where_somebody_collects_them() -> None:
    assert "debug" not in yaml.safe_load(only(declared(), "ConfigMap")["data"]["config.yml"])["http"]
    measured = declared(metrics=True)
    assert yaml.safe_load(only(measured, "ConfigMap")["data"]["config.yml"])["http"]["debug"]["addr"] == ":5001"
    ports = container_of(only(measured, "StatefulSet"))["ports"]
    assert {"name": "metrics", "containerPort": 5001} in ports


def test_accounts_and_certificate_are_mounted_and_used() -> None:
    recording = declared(accounts="accounts", accounts_version="abc", tls_secret="registry-tls")
    parsed = yaml.safe_load(only(recording, "ConfigMap")["data"]["config.yml"])
    server = only(recording, "StatefulSet")
    mounts = {mount["name"]: mount["mountPath"] for mount in container_of(server)["volumeMounts"]}
    secrets = {volume["name"]: volume["secret"] for volume in pod_of(server)["volumes"] if "secret" in volume}
    accounts, certificate = parsed["auth"]["htpasswd"]["path"], parsed["http"]["tls"]["certificate"]
    folders = {mounts[name]: secret["secretName"] for name, secret in secrets.items()}
    assert folders == {accounts.rpartition("/")[0]: "accounts", certificate.rpartition("/")[0]: "registry-tls"}
    assert container_of(server)["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"


def test_garbage_is_collected_beside_the_server_and_never_twice_at_once() -> None:
    spec = only(declared(garbage_collection="30 3 * * *"), "CronJob")["spec"]
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("30 3 * * *", "Forbid")
    # Without --delete-untagged, which in 2.8 takes the parts of a tagged index: signatures. See test_collection.py.
    assert pod["containers"][0]["args"][:-1] == ["garbage-collect"]
    (term,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"]["matchLabels"]["app.kubernetes.io/name"] == "registry"


def test_configuration_is_what_the_registry_reads() -> None:
    parsed = yaml.safe_load(configuration(port=5000, login=False, tls=False))
    assert parsed["http"]["addr"] == ":5000"
    assert parsed["storage"]["filesystem"]["rootdirectory"] == "/var/lib/registry"


def tree(folder: Path, **tags: list[str]) -> Path:
    """Repositories as the registry keeps them; the last tag of each was pushed last."""
    repositories = folder / "docker" / "registry" / "v2" / "repositories"
    for repository, names in tags.items():
        for age, name in enumerate(reversed(names)):
            link = repositories / "aihub" / repository / "_manifests" / "tags" / name / "current" / "link"
            link.parent.mkdir(parents=True)
            link.write_text("sha256:1")
            os.utime(link, (1_000_000 - 60 * age, 1_000_000 - 60 * age))
    return repositories


def test_each_image_keeps_its_newest_tags(tmp_path: Path) -> None:
    repositories = tree(tmp_path, api=["one", "two", "v-1.0_3", "four"], page=["only"], web=["a", "b"])
    (repositories / "aihub" / "empty" / "_manifests" / "tags").mkdir(parents=True)
    (init,) = pod_of(only(declared(keep_tags=2), "CronJob")["spec"]["jobTemplate"])["initContainers"]
    environment = {"KEEP_TAGS": "2", "REPOSITORIES": str(repositories)}
    assert {each["name"] for each in init["env"]} == set(environment)
    done = subprocess.run(init["command"], env=environment, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["aihub/api:one", "aihub/api:two"]
    left = {f"{path.parents[2].name}:{path.name}" for path in repositories.glob("aihub/*/_manifests/tags/*")}
    assert left == {"api:v-1.0_3", "api:four", "page:only", "web:a", "web:b"}


def test_a_registry_that_holds_nothing_yet_has_nothing_to_lose(tmp_path: Path) -> None:
    environment = {"KEEP_TAGS": "2", "REPOSITORIES": str(tmp_path / "none")}
    subprocess.run(["sh", str(FORGET_UNTAGGED)], env=environment, check=True)


def test_all_tags_stay_unless_a_number_is_stated(tmp_path: Path) -> None:
    repositories = tree(tmp_path, api=["one", "two"])
    (init,) = pod_of(only(declared(), "CronJob")["spec"]["jobTemplate"])["initContainers"]
    environment = {each["name"]: each["value"] for each in init["env"]} | {"REPOSITORIES": str(repositories)}
    done = subprocess.run(init["command"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == ""
