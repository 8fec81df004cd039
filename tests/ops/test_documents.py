"""``make documents``: which files of a folder are meant, and that one bad file does not end it."""

import os
from pathlib import Path
from typing import Any

import pytest

from ops import documents
from ops.clients.chat import ChatClient, ChatError, HungUpError
from ops.errors import OpsError
from ops.paths import StackPaths

AWAY = ChatClient(url="http://127.0.0.1:9", api_key="")


class Chat(ChatClient):
    """Takes every document but those that a test gives a failure."""

    def __init__(self, failures: dict[str, Exception] | None = None) -> None:
        super().__init__(url=AWAY.url, api_key="")
        self.__dict__.update(failures=failures or {}, names=[])

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        if failure := self.__dict__["failures"].get(name):
            raise failure
        self.__dict__["names"].append(name)
        return {"passages": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Papers below a hidden folder, as in ``~/.local/src``."""
    folder = tmp_path / ".hidden" / "papers"
    for name in ("a.md", "sub/b.PDF", "sub/c.bin", ".d.md", ".git/e.md", "sub/.cache/f.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Chat:
    """The chat of ``make chat``; no stack is up."""
    chat = Chat()
    monkeypatch.setattr("ops.paths.PRIVATE", tmp_path / ".aihub")
    monkeypatch.setattr(documents, "local_chat", lambda: chat)
    return chat


def test_folder_without_documents_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "picture.png").touch()
    with pytest.raises(OpsError, match=str(tmp_path)):
        documents.documents_below(tmp_path)


def test_hidden_files_are_left_out_and_the_folder_may_lie_below_a_hidden_one(folder: Path) -> None:
    assert [path.name for path in documents.documents_below(folder)] == ["a.md", "b.PDF"]
    assert documents.documents_below(folder / ".d.md") == [folder / ".d.md"]


@pytest.mark.parametrize("given", ["../../.hidden/papers", ".", "sub/.."])
def test_a_folder_may_be_named_in_every_way(
    folder: Path, chat: Chat, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert documents.run(StackPaths("local"), Path(given)) == 0
    assert chat.__dict__["names"] == ["papers/a.md", "papers/sub/b.PDF"]


def test_a_link_to_a_document_elsewhere_is_one_of_the_folder(folder: Path, chat: Chat, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.md").write_text("text")
    (folder / "link.md").symlink_to(tmp_path / "elsewhere.md")
    assert documents.run(StackPaths("local"), folder) == 0
    assert "papers/link.md" in chat.__dict__["names"]


def test_what_cannot_be_loaded_is_named_and_the_next_one_comes(folder: Path) -> None:
    failures = {"hung.md": HungUpError("the chat hung up", "make verify"), "binary.md": ChatError(400, "it is binary")}
    files = [(name, folder / "a.md") for name in ("hung.md", "binary.md", "a.md")]
    said: list[str] = []
    assert documents.load(Chat(failures), [("gone.md", folder / "gone.md"), *files], said.append) == 3
    assert [line.split(": ")[1] for line in said] == ["not loaded", "not loaded", "not loaded", "1 passages"]


def test_a_chat_that_is_away_ends_it(folder: Path) -> None:
    with pytest.raises(OpsError, match="does not answer"):
        documents.load(AWAY, [("a.md", folder / "a.md")], print)


def test_a_large_document_is_announced_and_one_that_is_too_large_is_never_sent(folder: Path) -> None:
    for name, size_mib in (("large.md", 3), ("huge.md", 100)):
        (folder / name).touch()
        os.truncate(folder / name, size_mib * 2**20)
    said: list[str] = []
    documents.load(Chat(), [("large.md", folder / "large.md")], said.append)
    assert said[0].startswith("large.md: 3.0 MiB; ")
    said.clear()
    assert documents.load(AWAY, [("huge.md", folder / "huge.md")], said.append) == 1
    assert said[0].startswith("huge.md: not loaded: it is larger than 20 MiB")
