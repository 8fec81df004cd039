"""The provisioner of folders: what it may do, whom its folders are open to, and that nothing but root is near them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.recorder import Recording, record
from infra.storage.local_path import PROVISIONER, LocalPath, LocalPathArgs
from infra.storage.local_path_files import SETUP, TEARDOWN, files
from tests.infra.support import container_of, of_kind, only, pod_of

ARGS = LocalPathArgs(
    namespace="local-path-storage",
    storage_class="folders",
    image="docker.io/rancher/local-path-provisioner:v0.0.37",
    helper_image="docker.io/library/busybox:1.37.0",
    folder="/srv/volumes",
)


@pytest.fixture(scope="module")
def declared() -> Recording:
    return record(lambda: LocalPath("local-path", ARGS), stack="test")


def flags(recording: Recording) -> dict[str, str]:
    given = container_of(only(recording, "Deployment"))["args"]
    return dict(zip(given[::2], given[1::2], strict=True))


def test_class_is_answered_by_this_provisioner_alone(declared: Recording) -> None:
    made = only(declared, "StorageClass")
    assert (made["metadata"]["name"], made["provisioner"]) == ("folders", PROVISIONER)
    assert flags(declared)["--provisioner-name"] == PROVISIONER != "rancher.io/local-path"
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"
    # Without it the kubelet leaves the folder to root, and a pod that is not root cannot write.
    assert made["metadata"]["annotations"]["defaultVolumeType"] == "local"


def test_it_is_told_where_its_settings_are(declared: Recording) -> None:
    settings = only(declared, "ConfigMap")
    assert flags(declared)["--configmap-name"] == settings["metadata"]["name"]
    volumes = {volume["name"]: volume for volume in pod_of(only(declared, "Deployment"))["volumes"]}
    assert volumes["config"]["configMap"]["name"] == settings["metadata"]["name"]
    (mapping,) = json.loads(settings["data"]["config.json"])["nodePathMap"]
    assert mapping["paths"] == ["/srv/volumes"]


def test_rights_are_those_of_its_own_account(declared: Recording) -> None:
    account = only(declared, "ServiceAccount")["metadata"]
    for kind, role in (("ClusterRoleBinding", "ClusterRole"), ("RoleBinding", "Role")):
        binding = only(declared, kind)
        (subject,) = binding["subjects"]
        assert (subject["name"], subject["namespace"]) == (account["name"], account["namespace"])
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == (
            role,
            only(declared, role)["metadata"]["name"],
        )


def test_pods_and_settings_are_its_own_namespaces_only(declared: Recording) -> None:
    everywhere = {resource for rule in only(declared, "ClusterRole")["rules"] for resource in rule["resources"]}
    assert not everywhere & {"pods", "secrets", "configmaps", "*"}


def test_it_runs_unprivileged_and_gets_its_token_by_name(declared: Recording) -> None:
    pod = pod_of(only(declared, "Deployment"))
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    (sources,) = [volume["projected"]["sources"] for volume in pod["volumes"] if "projected" in volume]
    assert {key for source in sources for key in source} == {"serviceAccountToken", "configMap"}


def test_helper_pod_is_one_that_the_provisioner_accepts() -> None:
    """Its own check refuses a template with volumes, an account, added capabilities or a named root user."""
    spec = yaml.safe_load(files(ARGS.folder, ARGS.helper_image)["helperPod.yaml"])["spec"]
    (container,) = spec["containers"]
    assert not {"volumes", "serviceAccountName", "nodeName", "hostNetwork"} & spec.keys()
    assert not {"volumeMounts", "envFrom", "livenessProbe"} & container.keys()
    assert not {"runAsUser", "runAsGroup"} & spec["securityContext"].keys()
    assert "add" not in container["securityContext"]["capabilities"]
    assert container["image"] == ARGS.helper_image


def run(script: str, folder: Path) -> None:
    environment: dict[str, Any] = {**os.environ, "VOL_DIR": str(folder)}
    subprocess.run(["sh", "-c", script], env=environment, check=True)


def test_folder_is_made_for_everyone_behind_a_door_for_root_and_removed_whole(tmp_path: Path) -> None:
    volume = tmp_path / "volumes" / "pvc-1"
    volume.parent.mkdir(mode=0o755)
    run(SETUP, volume)
    run(SETUP, volume)  # a pod that was interrupted is started again
    assert volume.stat().st_mode & 0o777 == 0o777
    assert volume.parent.stat().st_mode & 0o777 == 0o700
    (volume / "data").write_text("x")
    run(TEARDOWN, volume)
    assert not volume.exists()
    assert volume.parent.exists()


def test_nothing_is_kept_back_from_destroy(declared: Recording) -> None:
    assert not any(resource.retained for resource in declared.resources)
    assert len(of_kind(declared, "Deployment")) == 1
