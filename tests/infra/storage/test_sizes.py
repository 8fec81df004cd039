"""Rendering over a tree refuses, before it writes a byte, to make a volume smaller; growing is one number."""

from pathlib import Path

import pytest

from infra.gitops import render
from infra.manifests import RenderError
from infra.stackfile import configuration
from infra.storage.sizes import claims_of

CLAIM = "aipp/pgvector-data"


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.yaml")}


def resize(monkeypatch: pytest.MonkeyPatch, gib: int) -> None:
    config = configuration("dev")
    config["aihub:aipp"]["pgvector"] = {**config["aihub:aipp"]["pgvector"], "storageGib": gib}
    monkeypatch.setattr("infra.stackfile.configuration", lambda stack: config)


def test_a_volume_grows_by_one_number_and_never_shrinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resize(monkeypatch, 30)
    render("dev", tmp_path)
    before = content(tmp_path)
    assert claims_of(before.values())[CLAIM] == 30

    resize(monkeypatch, 40)
    render("dev", tmp_path)
    grown = content(tmp_path)
    (changed,) = [name for name in grown if grown[name] != before[name]]
    (line,) = set(grown[changed].splitlines()) - set(before[changed].splitlines())
    assert line.strip() == "storage: 40Gi"

    resize(monkeypatch, 20)
    with pytest.raises(
        RenderError, match=r"volume aipp/pgvector-data would shrink from 40 to 20 GiB.*storageGib to 40"
    ):
        render("dev", tmp_path)
    assert content(tmp_path) == grown
