"""Claims get their folders, on a real API server; the controller manager's part is played by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from cluster import addons, provisioner
from tests.apiserver import ApiServer, missing


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    if reason := missing():
        pytest.skip(reason)
    with ApiServer() as server:
        api_client = config.new_client_from_config(str(server.kubeconfig))
        client.StorageV1Api(api_client).create_storage_class(addons.storage_class())
        yield api_client


def claim(core: Any, name: str, annotated: bool = True) -> Any:
    """Make a claim as the controller manager hands it to a provisioner."""
    annotations = {provisioner.WANTED_FROM: "aihub.local/path"} if annotated else {}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local-path",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    body = {"metadata": {"name": name, "annotations": annotations}, "spec": spec}
    return core.create_namespaced_persistent_volume_claim("default", body)


def test_a_claim_gets_a_folder_and_a_volume_once(api: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    core = client.CoreV1Api(api)
    made = claim(core, "data")
    claim(core, "of-another-provisioner", annotated=False)
    for _ in range(2):
        provisioner.look(api, tmp_path)
    folder = tmp_path / f"default-data-{made.metadata.uid}"
    assert list(tmp_path.iterdir()) == [folder]
    assert capsys.readouterr().err == ""
    (volume,) = core.list_persistent_volume().items
    assert volume.spec.local.path == str(folder)
    assert (volume.spec.claim_ref.name, volume.spec.claim_ref.uid) == ("data", made.metadata.uid)
    assert volume.spec.persistent_volume_reclaim_policy == "Delete"


def released(core: Any, name: str, policy: str = "Delete") -> None:
    """Say of a volume that its claim is gone."""
    core.patch_persistent_volume(name, {"spec": {"persistentVolumeReclaimPolicy": policy}})
    core.patch_persistent_volume_status(name, {"status": {"phase": "Released"}})


@pytest.mark.parametrize(("policy", "kept"), [("Delete", False), ("Retain", True)])
def test_the_data_go_with_the_claim_unless_they_are_retained(api: Any, tmp_path: Path, policy: str, kept: bool):
    core = client.CoreV1Api(api)
    made = claim(core, f"policy-{policy.lower()}")
    provisioner.look(api, tmp_path)
    folder = tmp_path / provisioner.folder_name(made.to_dict())
    (folder / "rows").write_text("x")
    released(core, f"pvc-{made.metadata.uid}", policy)
    provisioner.look(api, tmp_path)
    assert (folder / "rows").exists() is kept


def test_nothing_outside_the_folder_of_volumes_is_removed(api: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    core = client.CoreV1Api(api)
    volumes, precious = tmp_path / "volumes", tmp_path / "precious"
    made = claim(core, "elsewhere")
    provisioner.look(api, precious)
    (precious / provisioner.folder_name(made.to_dict()) / "rows").write_text("x")
    released(core, f"pvc-{made.metadata.uid}")
    provisioner.look(api, volumes)
    assert (precious / provisioner.folder_name(made.to_dict()) / "rows").exists()
    assert "not removed" in capsys.readouterr().err


def test_one_claim_in_trouble_keeps_no_other_waiting(api: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    core = client.CoreV1Api(api)
    volumes = tmp_path / "volumes"
    volumes.mkdir()
    stuck, fine = claim(core, "stuck"), claim(core, "unhindered")
    (volumes / provisioner.folder_name(stuck.to_dict())).write_text("a file where the folder should be")
    provisioner.look(api, volumes)
    assert (volumes / provisioner.folder_name(fine.to_dict())).is_dir()
    assert "claim default/stuck" in capsys.readouterr().err
