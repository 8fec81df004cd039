"""The Git tree: the same bytes every time, no secret, versions that are not touched again."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import stackfile
from infra.gitops import main, render
from infra.manifests import RenderError, as_manifest
from infra.program import deploy
from infra.recorder import SECRET, Recorded, record
from infra.stackfile import configuration, placeholder_secrets, stack_names
from tests.infra.support import CANARIES

STACKS = stack_names()


def content(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


def manifests(directory: Path) -> list[dict[str, Any]]:
    base = directory / "gitops-apps/apps/chat/k8s/base"
    files = [path for path in base.glob("*.yaml") if path.name != "kustomization.yaml"]
    return [manifest for path in sorted(files) for manifest in yaml.safe_load_all(path.read_text())]


@pytest.mark.parametrize("stack", STACKS)
def test_same_bytes_twice_and_no_secret(stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render(stack, tmp_path / "one")
    monkeypatch.setattr(stackfile, "placeholder_secrets", lambda: CANARIES)
    monkeypatch.setattr("infra.gitops.placeholder_secrets", lambda: CANARIES)
    render(stack, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")
    whole = "".join(content(tmp_path / "two").values())
    assert not any(marker in whole for marker in ("canary-of", "placeholder-", SECRET))
    assert all(manifest["kind"] != "Secret" for manifest in manifests(tmp_path / "two"))


@pytest.mark.parametrize("stack", STACKS)
def test_kustomization_lists_exactly_the_files(stack: str, tmp_path: Path) -> None:
    render(stack, tmp_path)
    base = tmp_path / "gitops-apps/apps/chat/k8s/base"
    listed = yaml.safe_load((base / "kustomization.yaml").read_text())["resources"]
    assert {"kustomization.yaml", *listed} == {path.name for path in base.iterdir()}


def test_image_versions_are_written_once_and_belong_to_others(tmp_path: Path) -> None:
    render("dev", tmp_path)
    overlay = tmp_path / "gitops-apps/apps/chat/k8s/overlays/dev/kustomization.yaml"
    images = yaml.safe_load(overlay.read_text())["images"]
    assert {image["name"] for image in images} == {
        "harbor.dev.unifiedmeta.net/aihub/api",
        "harbor.dev.unifiedmeta.net/aihub/engine",
    }
    overlay.write_text("written by a pipeline\n")
    written = render("dev", tmp_path)
    assert overlay.read_text() == "written by a pipeline\n"
    assert overlay not in written
    used = {
        c["image"]
        for m in manifests(tmp_path)
        if m["kind"] == "Deployment"
        for c in m["spec"]["template"]["spec"]["containers"]
    }
    assert used == {image["name"] for image in images}


def test_files_of_what_is_gone_are_removed_and_others_kept(tmp_path: Path) -> None:
    render("dev", tmp_path)
    base = tmp_path / "gitops-apps/apps/chat/k8s/base"
    (base / "model-download.yaml").write_text("left by an earlier configuration\n")
    (base / "README.md").write_text("a person's\n")
    render("dev", tmp_path)
    assert not (base / "model-download.yaml").exists()
    assert (base / "README.md").exists()


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "local"])
def test_no_object_has_two_owners(stack: str, tmp_path: Path) -> None:
    render(stack, tmp_path)
    delivered = {(m["kind"], m["metadata"]["namespace"], m["metadata"]["name"]) for m in manifests(tmp_path)}
    recording = record(deploy, stack=stack, config=configuration(stack), secrets=placeholder_secrets())
    declared = {(each.kind, each.namespace, each.object_name) for each in recording.objects()}
    assert ("Deployment", "api") in {(kind, name) for kind, _, name in delivered}
    assert not delivered & declared


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "local"])
def test_bootstrap_is_the_application_that_pulumi_declares(stack: str, tmp_path: Path) -> None:
    render(stack, tmp_path)
    application = yaml.safe_load((tmp_path / "gitops-apps/bootstrap/chat.yaml").read_text())
    recording = record(deploy, stack=stack, config=configuration(stack), secrets=placeholder_secrets())
    (declared,) = (each for each in recording.objects() if each.kind == "Application")
    assert application == declared.properties
    assert (tmp_path / application["spec"]["source"]["path"] / "kustomization.yaml").is_file()


def test_vault_secret_is_delivered_before_what_reads_it(tmp_path: Path) -> None:
    render("dev", tmp_path)
    waves = {
        (m["kind"], m["metadata"]["name"]): int(m["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for m in manifests(tmp_path)
    }
    assert waves["ExternalSecret", "chat-secrets"] < waves["Deployment", "engine"] < waves["Ingress", "chat"]


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
        "argocd.argoproj.io/sync-wave": "0",
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    }
    assert manifest["spec"]["template"]["metadata"] == {}


def test_command_names_the_mistake(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--stack", "deb", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "there is no stack 'deb' (did you mean dev?); stacks are dev, local, wsl\n"
    assert main(["--stack", "wsl", "--out", str(tmp_path)]) == 0
    assert "overlays/wsl/kustomization.yaml" in capsys.readouterr().out
