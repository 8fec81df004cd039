"""`make diff` reads two commits in the same way, from a real repository, and never shows a secret."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ops import diff
from ops.differences.objects import markdown
from ops.errors import OpsError
from ops.paths import CHECKOUT


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository that holds the program as it is now, in its first commit."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("infra", "policy", "images", "service", "ops"):
        ignored = shutil.ignore_patterns("__pycache__", ".venv", "node_modules", "dist")
        shutil.copytree(CHECKOUT / name, folder / name, ignore=ignored)
    for path in CHECKOUT.glob("Pulumi*.yaml"):
        shutil.copy(path, folder)
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    return folder


@pytest.fixture
def repository(base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(diff, "CHECKOUT", base)
    return base


def test_a_change_of_one_number_is_one_field_of_one_object(repository: Path) -> None:
    file = repository / "Pulumi.dev.yaml"
    before = file.read_text()
    file.write_text(before.replace("storageGib: 20", "storageGib: 30"))
    try:
        name, found = diff.against_base("dev", "HEAD")
    finally:
        file.write_text(before)
    text = markdown(name, found)
    assert "0 added, 0 removed, 1 changed" in text
    assert "- spec.resources.requests.storage: 20Gi\n+ spec.resources.requests.storage: 30Gi" in text
    assert "placeholder-" not in text


def test_a_folder_may_be_the_base(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    assert diff.against_base("local", str(repository))[1].empty


def test_a_stack_that_is_new_is_all_added(repository: Path) -> None:
    shutil.copy(repository / "Pulumi.local.yaml", repository / "Pulumi.new.yaml")
    try:
        _, found = diff.against_base("new", "HEAD")
    finally:
        (repository / "Pulumi.new.yaml").unlink()
    assert found.added
    assert not found.changed


def test_a_commit_that_is_not_there_is_named(repository: Path) -> None:
    with pytest.raises(OpsError, match=r"(?s)no commit 'origin/main'.*git fetch"):
        diff.against_base("dev", "origin/main")


def test_an_option_is_no_commit(repository: Path) -> None:
    with pytest.raises(OpsError, match="no commit '--all'"):
        diff.against_base("dev", "--all")


def test_a_side_that_cannot_be_read_ends_in_its_reason(repository: Path) -> None:
    file = repository / "Pulumi.dev.yaml"
    before = file.read_text()
    file.write_text(before.replace("storageGib: 20", "storageGb: 20"))
    try:
        with pytest.raises(OpsError, match=r"aihub:data\.chroma\.storageGb"):
            diff.against_base("dev", "HEAD")
    finally:
        file.write_text(before)
