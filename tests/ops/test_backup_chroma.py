"""Chroma: the server of the service's environment, exported and filled again through its own API."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.backups import chroma, chroma_api
from ops.backups.kinds import differences
from ops.errors import OpsError
from tests.ops.backup_servers import HOME, Here, ask
from tests.ops.backup_servers import chroma as chroma_server

RECORDS = 1203
"""More than two pages, and more than what Chroma keeps beside its index."""


def collection(here: Here, name: str, space: str) -> str:
    configuration = {"hnsw": {"space": space}}
    made = ask(here, "POST", HOME, {"name": name, "metadata": {"made": 1}, "configuration": configuration})
    return str(made["id"])


def fill(here: Here, name: str, space: str, count: int) -> None:
    numbers = random.Random(7)
    body: dict[str, Any] = {
        "ids": [f"d{i // 10}:{i % 10}" for i in range(count)],
        "embeddings": [[numbers.gauss(0, 1) for _ in range(16)] for _ in range(count)],
        "documents": [f"문서 {i} text" for i in range(count)],
        "metadatas": [{"index": i % 10, "name": f"n{i}", "share": i / 3, "on": True} for i in range(count)],
    }
    ask(here, "POST", f"{HOME}/{collection(here, name, space)}/add", body)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    with chroma_server(tmp_path_factory.mktemp("old")) as here:
        fill(here, "documents", "cosine", RECORDS)
        fill(here, "others", "l2", 20)
        yield here


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Here]:
    with chroma_server(tmp_path / "new") as here:
        yield here


def test_collections_come_back_and_answer_alike(old: Here, new: Here, tmp_path: Path) -> None:
    copy = chroma.dump(old, tmp_path / "chroma")
    assert copy.content["records"] == RECORDS + 20
    assert chroma.is_empty(new)
    chroma.load(new, tmp_path / "chroma")
    assert differences(copy.content, chroma.content(new)) == []
    question = {"query_embeddings": [[1.0] * 16], "n_results": 5, "include": ["documents"]}
    answers = []
    for here in (old, new):
        found = {each["name"]: each for each in ask(here, "GET", HOME)}
        assert found["documents"]["configuration_json"]["hnsw"]["space"] == "cosine"
        answers.append(ask(here, "POST", f"{HOME}/{found['documents']['id']}/query", question)["documents"])
    assert answers[0] == answers[1]


def test_what_was_there_is_replaced_and_leaves_nothing_behind(old: Here, new: Here, tmp_path: Path) -> None:
    fill(new, "documents", "cosine", 30)
    fill(new, "mine", "l2", 3)
    collection(new, "documents" + chroma.SUFFIX, "l2")  # of a restore that was interrupted
    assert not chroma.is_empty(new)
    copy = chroma.dump(old, tmp_path / "chroma")
    chroma.load(new, tmp_path / "chroma")
    assert differences(copy.content, chroma.content(new)) == []
    assert sorted(each["name"] for each in ask(new, "GET", HOME)) == ["documents", "others"]


def test_a_file_that_the_server_refuses_leaves_what_is_there(old: Here, new: Here, tmp_path: Path) -> None:
    chroma.dump(old, tmp_path / "chroma")
    lines = (tmp_path / "chroma.jsonl").read_text().splitlines()
    broken = json.loads(lines[2])
    broken["vectors"] = broken["vectors"][:-1]
    (tmp_path / "chroma.jsonl").write_text("\n".join([*lines[:2], json.dumps(broken), *lines[3:]]))
    fill(new, "documents", "cosine", 30)
    before = chroma.content(new)
    with pytest.raises(OpsError):
        chroma.load(new, tmp_path / "chroma")
    assert chroma.content(new) == before


def test_a_vector_that_is_not_the_files_is_found(
    old: Here, new: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chroma.dump(old, tmp_path / "chroma")
    whole = chroma._unpacked
    monkeypatch.setattr(chroma, "_unpacked", lambda packed: (whole(packed)[0] * (1 + 1e-4), *whole(packed)[1:]))
    with pytest.raises(OpsError, match="the vector of"):
        chroma.load(new, tmp_path / "chroma")
    assert chroma.is_empty(new)


def test_every_change_changes_the_sum(new: Here) -> None:
    fill(new, "documents", "cosine", 30)
    (there,) = ask(new, "GET", HOME)
    before = chroma.content(new)
    ask(new, "POST", f"{HOME}/{there['id']}/update", {"ids": ["d0:0"], "metadatas": [{"name": "other"}]})
    assert differences(before, chroma.content(new))
    before = chroma.content(new)
    ask(new, "POST", f"{HOME}/{there['id']}/delete", {"ids": ["d1:1"]})
    assert "records: 30 -> 29" in differences(before, chroma.content(new))


def test_a_store_that_changes_all_the_time_is_not_called_copied(
    new: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(new, "documents", "cosine", 30)
    (there,) = ask(new, "GET", HOME)
    seen = iter(range(100))
    pages = chroma_api.Server.pages

    def busy(self: Any, each: Any, include: Any) -> Any:
        ask(new, "POST", f"{HOME}/{there['id']}/update", {"ids": ["d0:0"], "documents": [f"version {next(seen)}"]})
        return pages(self, each, include)

    monkeypatch.setattr(chroma_api.Server, "pages", busy)
    with pytest.raises(OpsError, match="was written to each of the 3 times"):
        chroma.dump(new, tmp_path / "chroma")
