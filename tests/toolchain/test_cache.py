"""A tool is taken from the cache only when it is whole."""

import threading
from pathlib import Path

import pytest

from toolchain import cache
from toolchain.tools import ALL, Tool

TOOL = Tool(name="spade", version="v1.0.0", binaries=("spade",), packages=(".",))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def make(text: str = "#!/bin/sh\n") -> None:
    with cache.being_made(TOOL) as directory:
        (directory / "bin" / "spade").write_text(text)


def test_finished_tool_is_whole_and_executable() -> None:
    make()
    assert cache.is_whole(TOOL, cache.folder(TOOL))
    assert (cache.folder(TOOL) / "bin" / "spade").stat().st_mode & 0o111


def test_changed_binary_is_not_whole() -> None:
    make()
    with (cache.folder(TOOL) / "bin" / "spade").open("a") as file:
        file.write("x")
    assert not cache.is_whole(TOOL, cache.folder(TOOL))


def test_interrupted_build_leaves_nothing_that_looks_finished() -> None:
    with pytest.raises(KeyboardInterrupt), cache.being_made(TOOL) as directory:
        (directory / "bin" / "spade").write_text("half")
        raise KeyboardInterrupt
    assert not cache.is_whole(TOOL, cache.folder(TOOL))
    make()
    assert (cache.folder(TOOL) / "bin" / "spade").read_text() == "#!/bin/sh\n"


def test_two_builders_at_once_build_once() -> None:
    built: list[str] = []

    def build() -> None:
        with cache.being_made(TOOL) as directory:
            if directory != cache.folder(TOOL):
                built.append("once")
                (directory / "bin" / "spade").write_text("#!/bin/sh\n")

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == ["once"]


def test_every_tool_has_a_folder_of_its_own() -> None:
    assert len({cache.folder(tool) for tool in ALL}) == len(ALL)
