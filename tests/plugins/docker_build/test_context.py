"""The context's hash: it changes with what the build reads, and with nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from plugins.docker_build.build import Build
from plugins.docker_build.context import context_hash, ignore_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (tmp_path / ".dockerignore").write_text("# what the image does not need\nnode_modules\n**/*.pyc\n!kept.pyc\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("print()\n")
    (tmp_path / "node_modules").mkdir()
    return tmp_path


def _hash(folder: Path) -> str:
    return context_hash(Build(context=folder, dockerfile=folder / "Dockerfile"))


def _rename(folder: Path) -> None:
    (folder / "app" / "main.py").rename(folder / "app" / "other.py")


def _link(folder: Path) -> None:
    (folder / "app" / "link").symlink_to("main.py")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "app" / "main.py").write_text("print(1)\n"),
        lambda folder: (folder / "app" / "main.py").chmod(0o755),
        lambda folder: (folder / "app" / "new.py").write_text(""),
        lambda folder: (folder / "Dockerfile").write_text("FROM scratch\n"),
        lambda folder: (folder / "kept.pyc").write_text(""),
        _rename,
        _link,
    ],
    ids=["content", "mode", "new file", "recipe", "kept by an exception", "name", "link"],
)
def test_what_the_build_reads_changes_it(folder: Path, change: Callable[[Path], object]) -> None:
    before = _hash(folder)
    change(folder)
    assert _hash(folder) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "node_modules" / "big.js").write_text("x"),
        lambda folder: (folder / "app" / "main.pyc").write_text("x"),
        lambda folder: (folder / "app" / "main.py").touch(),
        lambda folder: None,
    ],
    ids=["ignored folder", "ignored pattern", "time", "nothing"],
)
def test_what_it_does_not_read_leaves_it(folder: Path, change: Callable[[Path], object]) -> None:
    before = _hash(folder)
    change(folder)
    assert _hash(folder) == before


def test_named_contexts_count(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    build = Build(context=folder, dockerfile=folder / "Dockerfile", named_contexts={"other": str(other)})
    before = context_hash(build)
    (other / "file").write_text("x")
    assert context_hash(build) != before


def test_a_recipes_own_ignore_file_wins(folder: Path) -> None:
    build = Build(context=folder, dockerfile=folder / "Dockerfile")
    assert ignore_file(build) == folder / ".dockerignore"
    (folder / "Dockerfile.dockerignore").write_text("")
    assert ignore_file(build) == folder / "Dockerfile.dockerignore"
