"""Archives are named after what they were made from and checked before they are used."""

import dataclasses
from pathlib import Path

import pytest

from cluster import images
from cluster.images import NodeImage


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NodeImage:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY program /program\n")
    (tmp_path / "program").write_text("one")
    copied = (tmp_path / "program",)
    return NodeImage(reference="localhost/aihub/x:1", recipe=tmp_path, context=tmp_path, copied=copied)


def test_an_image_is_built_anew_when_anything_it_is_made_from_changes(image: NodeImage):
    first = images.archive_of(image)
    assert first == images.archive_of(image)
    assert first.name.startswith("x-")
    image.copied[0].write_text("two")
    second = images.archive_of(image)
    (image.recipe / "Dockerfile").write_text("FROM scratch\n")
    third = images.archive_of(image)
    fourth = images.archive_of(dataclasses.replace(image, on_base=True))
    assert len({first, second, third, fourth}) == 4


def test_a_torn_archive_is_not_used(image: NodeImage):
    archive = images.archive_of(image)
    archive.parent.mkdir(parents=True)
    partial = archive.with_suffix(".partial.tar")
    partial.write_bytes(b"layers" * 1000)
    assert not images.is_whole(archive)
    images._finish(partial, archive)
    assert images.is_whole(archive)
    archive.write_bytes(archive.read_bytes()[:-1])
    assert not images.is_whole(archive)


def test_every_dockerfile_takes_its_base_as_an_argument_and_runs_without_root():
    files = sorted(images.SOURCES.glob("*/Dockerfile"))
    assert len(files) >= 5
    for file in files:
        lines = file.read_text().splitlines()
        assert [line for line in lines if line.startswith("FROM")][-1] in ("FROM ${BASE_IMAGE}", "FROM scratch"), file
        assert any(line.startswith("USER ") and not line.startswith("USER 0") for line in lines), file
        assert "<<" not in file.read_text(), f"{file}: heredocs are not for every builder"


def test_the_machines_mirrors_are_not_in_the_base_image():
    recipe = " ".join(images.BASE_RECIPE)
    assert "deb.debian.org" in images.PUBLIC_SOURCES
    assert images.PUBLIC_SOURCES in recipe
    assert 'rm -f "$1/etc/apt/sources.list"' in recipe
    assert '"$1/etc/resolv.conf"' in recipe
