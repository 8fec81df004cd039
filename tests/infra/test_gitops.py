"""The Git tree: the same bytes every time, no secret, versions that are not touched again."""

import difflib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import stackfile
from infra.delivery.rollback import tags_of, with_refused, with_tags
from infra.gitops import main, render
from infra.manifests import RenderError, as_manifest, images_in
from infra.program import deploy
from infra.recorder import SECRET, Recorded
from infra.stackfile import configuration, record_stack, stack_names
from tests.apiserver import BINARIES
from tests.infra.support import CANARIES

STACKS = stack_names()


def content(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


def base_of(directory: Path, application: str = "backend-chat") -> Path:
    return directory / "gitops-apps/apps" / application / "k8s/base"


def manifests(directory: Path) -> list[dict[str, Any]]:
    bases = directory.glob("gitops-apps/apps/*/k8s/base/*.yaml")
    files = [path for path in bases if path.name != "kustomization.yaml"]
    return [manifest for path in sorted(files) for manifest in yaml.safe_load_all(path.read_text())]


@pytest.mark.parametrize("stack", STACKS)
def test_same_bytes_twice_and_no_secret(stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render(stack, tmp_path / "one")
    monkeypatch.setattr(stackfile, "placeholder_secrets", lambda: CANARIES)
    render(stack, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")
    whole = "".join(content(tmp_path / "two").values())
    assert not any(marker in whole for marker in ("canary-of", "placeholder-", SECRET))
    assert all(manifest["kind"] != "Secret" for manifest in manifests(tmp_path / "two"))


@pytest.mark.parametrize("stack", STACKS)
def test_kustomization_lists_exactly_the_files(stack: str, tmp_path: Path) -> None:
    render(stack, tmp_path)
    kustomizations = [*tmp_path.glob("gitops-apps/apps/*/k8s/base/kustomization.yaml")]
    assert base_of(tmp_path) / "kustomization.yaml" in kustomizations
    for kustomization in kustomizations:
        listed = yaml.safe_load(kustomization.read_text())["resources"]
        assert {"kustomization.yaml", *listed} == {path.name for path in kustomization.parent.iterdir()}


def test_image_versions_are_written_once_and_belong_to_others(tmp_path: Path) -> None:
    render("dev", tmp_path)
    overlay = tmp_path / "gitops-apps/apps/backend-chat/k8s/overlays/dev/kustomization.yaml"
    images = yaml.safe_load(overlay.read_text())["images"]
    assert {image["name"] for image in images} == {
        "harbor.dev.unifiedmeta.net/chat/api",
        "harbor.dev.unifiedmeta.net/chat/engine",
    }
    overlay.write_text("written by a pipeline\n")
    written = render("dev", tmp_path)
    assert overlay.read_text() == "written by a pipeline\n"
    assert overlay not in written
    used = {
        c["image"]
        for m in manifests(tmp_path)
        if m["kind"] == "Deployment" and m["metadata"]["namespace"] == "aihub-chat"
        for c in m["spec"]["template"]["spec"]["containers"]
    }
    assert used == {image["name"] for image in images}


def test_files_of_what_is_gone_are_removed_and_others_kept(tmp_path: Path) -> None:
    render("dev", tmp_path)
    base = base_of(tmp_path)
    (base / "model-download.yaml").write_text("left by an earlier configuration\n")
    (base / "README.md").write_text("a person's\n")
    render("dev", tmp_path)
    assert not (base / "model-download.yaml").exists()
    assert (base / "README.md").exists()


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "local"])
def test_no_object_has_two_owners(stack: str, tmp_path: Path) -> None:
    render(stack, tmp_path)
    delivered = {(m["kind"], m["metadata"].get("namespace", ""), m["metadata"]["name"]) for m in manifests(tmp_path)}
    recording = record_stack(deploy, stack)
    declared = {(each.kind, each.namespace, each.object_name) for each in recording.objects()}
    assert ("Deployment", "engine") in {(kind, name) for kind, _, name in delivered}
    assert not delivered & declared


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "local"])
def test_bootstrap_holds_the_projects_and_applications_that_pulumi_declares(stack: str, tmp_path: Path) -> None:
    render(stack, tmp_path)
    recording = record_stack(deploy, stack)
    kinds = ("AppProject", "Application")
    declared = {each.object_name: each.properties for each in recording.objects() if each.kind in kinds}
    files = {path.stem: yaml.safe_load(path.read_text()) for path in tmp_path.glob("gitops-apps/bootstrap/*.yaml")}
    assert files == declared
    followed = [each["spec"]["source"]["path"] for each in files.values() if each["kind"] == "Application"]
    assert followed
    assert all((tmp_path / path / "kustomization.yaml").is_file() for path in followed)


def test_vault_secret_is_delivered_before_what_reads_it(tmp_path: Path) -> None:
    render("dev", tmp_path)
    waves = {
        (m["kind"], m["metadata"]["name"]): int(m["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for m in manifests(tmp_path)
    }
    assert waves["ExternalSecret", "chat-secrets"] < waves["Deployment", "engine"] == waves["Ingress", "chat"]


def test_what_may_take_long_to_be_healthy_stands_in_the_last_wave(tmp_path: Path) -> None:
    """Argo CD waits for every wave but the last, and while it waits it takes no other commit."""
    render("wsl", tmp_path)
    waves = {
        m["kind"]: int(m["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for m in manifests(tmp_path)
        if m["kind"] != "ImageUpdater"
    }
    last = max(waves.values())
    assert {kind for kind, wave in waves.items() if wave == last} == {"Rollout", "Deployment", "Ingress"}
    assert waves["AnalysisTemplate"] < last


def test_image_updater_writes_into_the_overlay_of_each_image(tmp_path: Path) -> None:
    render("wsl", tmp_path)
    updater = yaml.safe_load((base_of(tmp_path, "updates-chat") / "image-updater.yaml").read_text())
    for reference in updater["spec"]["applicationRefs"]:
        config = reference["writeBackConfig"]["gitConfig"]
        folder = config["writeBackTarget"].removeprefix("kustomization:/")
        kustomization = yaml.safe_load((tmp_path / folder / "kustomization.yaml").read_text())
        assert {image["imageName"] for image in reference["images"]} == {
            image["name"] for image in kustomization["images"]
        }
    assert "ignoreTags" not in updater["spec"]["commonUpdateSettings"], "the overlay's list would be the base's"


def test_refused_tags_are_written_once_and_belong_to_others(tmp_path: Path) -> None:
    render("wsl", tmp_path)
    folder = tmp_path / "gitops-apps/apps/updates-chat/k8s/overlays/wsl"
    patch = yaml.safe_load((folder / "refused.yaml").read_text())
    updater = yaml.safe_load((base_of(tmp_path, "updates-chat") / "image-updater.yaml").read_text())
    for field in ("name", "namespace"):
        assert patch["metadata"][field] == updater["metadata"][field]
    with (folder / "refused.yaml").open("a") as file:
        file.write('    - "0123456789ab"\n')  # as docs/delivery.md tells people to
    by_hand = yaml.safe_load((folder / "refused.yaml").read_text())["spec"]["commonUpdateSettings"]["ignoreTags"]
    assert by_hand == [*patch["spec"]["commonUpdateSettings"]["ignoreTags"], "0123456789ab"]
    (folder / "refused.yaml").write_text("written by the rollback\n")
    render("wsl", tmp_path)
    assert (folder / "refused.yaml").read_text() == "written by the rollback\n"


def built(overlay: Path) -> list[dict[str, Any]]:
    """Return what Argo CD makes of an overlay: the objects, as kustomize puts them together."""
    kubectl = shutil.which("kubectl") or shutil.which("kubectl", path=str(BINARIES))
    if not kubectl:
        pytest.skip(f"no kubectl on PATH or in {BINARIES}")
    done = subprocess.run([kubectl, "kustomize", str(overlay)], check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("stack", STACKS)
def test_kustomize_gives_every_image_of_ours_its_tag(stack: str, tmp_path: Path) -> None:
    render(stack, tmp_path)
    registry = configuration(stack)["aihub:registry"]
    ours = f"{registry['host']}/{registry.get('project', 'aihub')}/"
    overlays = [*tmp_path.glob(f"gitops-apps/apps/*-chat/k8s/overlays/{stack}")]
    whole = [manifest for overlay in overlays for manifest in built(overlay)]
    images = {image for manifest in whole for image in images_in(manifest) if image.startswith(ours)}
    assert images
    assert all(image.endswith(":0.1.0") for image in images)


def test_what_others_write_reaches_the_cluster(tmp_path: Path) -> None:
    render("wsl", tmp_path)
    apps = tmp_path / "gitops-apps/apps"
    tags, refused = apps / "backend-chat/k8s/overlays/wsl", apps / "updates-chat/k8s/overlays/wsl"
    kustomization = (tags / "kustomization.yaml").read_text()
    (tags / "kustomization.yaml").write_text(with_tags(kustomization, dict.fromkeys(tags_of(kustomization), "1234567")))
    (refused / "refused.yaml").write_text(with_refused((refused / "refused.yaml").read_text(), "7654321"))
    (rollout,) = (each for each in built(tags) if each["kind"] == "Rollout")
    assert list(images_in(rollout)) == ["registry.local:5000/aihub/api:1234567"]
    (updater,) = built(refused)
    assert updater["spec"]["commonUpdateSettings"]["ignoreTags"] == ["latest", "7654321"]
    assert updater["spec"]["commonUpdateSettings"]["updateStrategy"] == "newest-build"


def test_a_change_of_one_field_is_a_small_diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render("wsl", tmp_path / "before")
    config = configuration("wsl")
    config["aihub:chat"]["api"] = {**config["aihub:chat"].get("api", {}), "replicas": 5}
    monkeypatch.setattr("infra.stackfile.configuration", lambda stack: config)
    render("wsl", tmp_path / "after")
    before, after = content(tmp_path / "before"), content(tmp_path / "after")
    assert before.keys() == after.keys()
    (changed,) = [name for name in before if before[name] != after[name]]
    lines = [*difflib.unified_diff(before[changed].splitlines(), after[changed].splitlines(), n=0, lineterm="")][2:]
    assert [line.strip("+- ") for line in lines if not line.startswith("@@")] == [
        "replicas: 2",
        "replicas: 5",
        "setWeight: 33",
        "setWeight: 16",
    ]


def recorded(kind: str, **properties: Any) -> Recorded:
    metadata = {"name": "some", "namespace": "chat"}
    return Recorded(
        type=f"kubernetes:core/v1:{kind}",
        name="some",
        urn="urn",
        parent="",
        custom=True,
        properties={"kind": kind, "metadata": metadata, **properties},
        retained=False,
        depends_on=(),
    )


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (recorded("Secret", stringData={}), "Secret chat/some carries a secret"),
        (recorded("ConfigMap", data={"a": {"b": [SECRET]}}), "ConfigMap chat/some carries a secret"),
        (recorded("Widget"), "Widget chat/some: infra/manifests.py gives this kind no sync wave"),
    ],
    ids=["secret", "secret-inside", "unknown-kind"],
)
def test_refuses(resource: Recorded, message: str) -> None:
    with pytest.raises(RenderError, match=message):
        as_manifest(resource, ())


def test_manifest_speaks_to_argocd_alone() -> None:
    labels = {"app.kubernetes.io/managed-by": "pulumi"}
    annotations = {"pulumi.com/skipAwait": "true", "aihub/secrets-version": "abc"}
    claim = recorded("PersistentVolumeClaim", spec={"template": {"metadata": {"annotations": annotations}}})
    claim.properties["metadata"] |= {"labels": labels, "annotations": annotations}
    manifest = as_manifest(claim, ())
    assert manifest["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "argocd"}
    assert manifest["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-wave": "1",
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    }
    assert manifest["spec"]["template"]["metadata"] == {}


def test_command_names_the_mistake(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--stack", "deb", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "there is no stack 'deb' (did you mean dev?); stacks are dev, local, wsl\n"
    assert main(["--stack", "wsl", "--out", str(tmp_path)]) == 0
    assert "overlays/wsl/kustomization.yaml" in capsys.readouterr().out
