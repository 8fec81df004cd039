"""PATH, cache, vendor, module: in this order."""

import os
import platform
from pathlib import Path

import pytest

from toolchain import cache, golang
from toolchain.ensure import ensure, ready
from toolchain.tools import ALL, PULUMI, Archive, Tool


def spade(**changes: object) -> Tool:
    return Tool(**{"name": "spade", "version": "v1.0.0", "binaries": ("spade",), "packages": (".",), **changes})


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Go module that builds with no dependency."""
    folder = tmp_path / "go" / "spade"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module spade\n\ngo 1.24\n")
    (folder / "main.go").write_text('package main\n\nfunc main() { println("digs") }\n')
    monkeypatch.setattr(golang, "MODULES", folder.parent)
    return folder


def test_path_wins_where_the_tool_may_come_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spade").write_text("#!/bin/sh\n")
    (tmp_path / "spade").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ensure(spade(use_path=True), print) == tmp_path


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, version: str) -> None:
    """Put a program first on PATH that tells a version."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{version}'\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_what_is_too_old_on_path_is_made_instead_and_why_is_said(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path(tmp_path, monkeypatch, "spade", "v0.9.12")
    said: list[str] = []
    assert ensure(spade(use_path=True, path_minimum=(0, 10, 0)), said.append) != tmp_path
    assert said[0] == f"spade v1.0.0: not from PATH: {tmp_path / 'spade'} is 0.9.12, and must be 0.10.0 at least"


@pytest.mark.parametrize(
    ("version", "does"),
    [("v3.208.0", True), ("v4.0.0-alpha.1", True), ("v3.207.9", False), ("v3.90.0", False), ("none", False)],
)
def test_a_pulumi_that_would_write_into_the_committed_configuration_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, does: bool
) -> None:
    on_path(tmp_path / "bin", monkeypatch, "pulumi", version)
    assert ready(PULUMI) == (tmp_path / "bin" if does else None)


def test_built_where_the_vendor_has_nothing_and_says_why(module: Path) -> None:
    away = Archive(url="http://127.0.0.1:9/spade", checksum_url="http://127.0.0.1:9/sums", binaries=("spade",))
    said: list[str] = []
    assert (ensure(spade(archives=(away,)), said.append) / "spade").exists()
    assert "not from its vendor: http://127.0.0.1:9/sums: " in said[0]
    assert "building from its Go module" in said[1]


def test_downloads_are_for_one_processor_only(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    archive = Archive(url="http://127.0.0.1:9/spade", checksum_url="http://127.0.0.1:9/sums", binaries=("spade",))
    said: list[str] = []
    ensure(spade(archives=(archive,)), said.append)
    assert len(said) == 1
    assert "building from its Go module" in said[0]


def test_built_once_and_rebuilt_when_damaged(module: Path) -> None:
    said: list[str] = []
    place = ensure(spade(), said.append)
    assert (place / "spade").exists()
    assert ensure(spade(), said.append) == place
    assert len(said) == 1
    (place / "spade").write_bytes(b"damaged")
    ensure(spade(), said.append)
    assert len(said) == 2
    assert cache.is_whole(spade(), cache.folder(spade()))


def test_failed_build_says_why_and_leaves_nothing(module: Path) -> None:
    (module / "main.go").write_text("package main\n\nfunc main() { dig() }\n")
    with pytest.raises(golang.BuildError, match="undefined: dig"):
        ensure(spade(), print)
    assert not cache.folder(spade()).exists()


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
def test_every_tool_is_pinned_to_a_module_with_checksums(tool: Tool) -> None:
    folder = golang.MODULES / tool.name
    assert (folder / "go.mod").exists()
    for package in tool.packages:
        if package == ".":
            assert (folder / "main.go").exists()
        else:
            assert package in (folder / "go.mod").read_text()
            assert (folder / "go.sum").exists()
