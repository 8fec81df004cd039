"""What a build puts beside the binaries, and what it demands of the machine."""

import tarfile
from pathlib import Path

import pytest

from toolchain import golang
from toolchain.golang import BuildError, build
from toolchain.tools import ALL, ENGINE, LIVE, NODE, Tool


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that builds with no dependency, and holds a script and a folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "go" / "spade"
    (folder / "words" / "deep").mkdir(parents=True)
    (folder / "go.mod").write_text("module example.invalid/spade\n\ngo 1.24\n")
    (folder / "main.go").write_text('package main\n\nfunc main() { println("digs") }\n')
    (folder / "dig.sh").write_text("#!/bin/sh\n")
    (folder / "words" / "deep" / "ko.txt").write_text("삽\n")
    monkeypatch.setattr(golang, "MODULES", folder.parent)
    return folder


def spade(**changes: object) -> Tool:
    return Tool(**{"name": "spade", "version": "v1.0.0", "binaries": ("spade",), "packages": (".",), **changes})


def test_files_and_folders_of_the_module_lie_beside_the_binary(module: Path, tmp_path: Path) -> None:
    name = "example.invalid/spade"
    build(spade(module_files=((name, "dig.sh"),), module_folders=((name, "words"),)), tmp_path)
    assert (tmp_path / "spade").exists()
    assert (tmp_path / "dig.sh").read_text() == "#!/bin/sh\n"
    with tarfile.open(tmp_path / "words.tar") as tar:
        assert {member.name: oct(member.mode) for member in tar} == {
            "words": "0o755",
            "words/deep": "0o755",
            "words/deep/ko.txt": "0o644",
        }
        assert {member.mtime for member in tar} == {0}


def test_a_tool_with_c_code_names_the_compiler_that_is_missing(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(golang, "go_binary", lambda: "go")
    with pytest.raises(BuildError, match="apt-get install gcc"):
        build(spade(needs_c=True), tmp_path)


def test_only_a_live_run_builds_its_programs() -> None:
    assert not {*LIVE} & {*NODE, *ENGINE}
    assert {*LIVE} <= {*ALL}
