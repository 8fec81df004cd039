"""The same demands on both Chroma stores, and the library over them."""

import asyncio
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import AsyncMock, patch

import pytest

from chatbot.engine.quotation import QuotationEngine
from chatbot.errors import ApiError, StoreUnavailableError
from chatbot.retrieval import chroma_connection
from chatbot.retrieval.chroma import ChromaDocuments
from chatbot.retrieval.library import EMBEDDED_PASSAGES, Library, clean_name
from chatbot.retrieval.protocol import Document, Documents, NewPassage
from chatbot.retrieval.search import Search
from chatbot.settings import ConfigurationError
from chatbot.telemetry import Metrics
from tests.service.chatbot.retrieval.samples import KOREAN, docx_bytes
from tests.service.chatbot.scripted import ScriptedEngine
from tests.service.chatbot.servers import Server, chroma_server

HANDBOOK = b"# Leave\nAnnual leave is fifteen days.\n\n# Meals\nLunch is paid up to ten euros a day.\n"


@pytest.fixture(params=["server", "embedded"])
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> Documents:
    if request.param == "embedded":
        return ChromaDocuments(chroma_connection.embedded(tmp_path / "documents"))
    server: Server = request.getfixturevalue("chroma")
    return ChromaDocuments(chroma_connection.server(f"http://127.0.0.1:{server.port}"))


@pytest.fixture
def library(documents: Documents, quotation: QuotationEngine) -> Library:
    return Library(quotation, documents)


@pytest.fixture
def search(documents: Documents, quotation: QuotationEngine) -> Search:
    return Search(quotation, documents, Metrics())


async def test_finds_what_a_document_says_and_where(library: Library, search: Search) -> None:
    document, is_new = await library.add("handbook.md", HANDBOOK)
    assert is_new
    assert (document.bytes, document.passages) == (len(HANDBOOK), 2)
    citations = await search.citations("How many days of annual leave do I get?")
    assert citations[0].index == 1
    assert (citations[0].title, citations[0].location) == ("handbook.md", "Leave")
    assert "fifteen days" in citations[0].passage
    assert 0.3 < citations[0].score <= 1
    assert citations[0].document_id == document.id


async def test_finds_korean_by_its_words(library: Library, search: Search) -> None:
    await library.add("handbook.md", HANDBOOK)
    await library.add("규정.docx", docx_bytes())
    citations = await search.citations("연차 휴가는 며칠인가요?")
    assert citations[0].title == "규정.docx"
    assert KOREAN in citations[0].passage


async def test_finds_nothing_where_nothing_fits(library: Library, search: Search) -> None:
    assert await search.citations("Anything at all?") == []
    await library.add("handbook.md", HANDBOOK)
    assert await search.citations("Who won the football cup in 1998?") == []


async def test_the_same_content_again_changes_nothing(library: Library) -> None:
    first, _ = await library.add("handbook.md", HANDBOOK)
    assert await library.add("handbook.md", HANDBOOK) == (first, False)
    assert await library.catalog() == [first]


async def test_other_content_under_the_same_name_replaces(library: Library, search: Search) -> None:
    await library.add("handbook.md", HANDBOOK)
    await library.add("handbook.md", HANDBOOK.replace(b"fifteen", b"thirty"))
    assert len(await library.catalog()) == 1
    passages = " ".join(citation.passage for citation in await search.citations("How many days of annual leave?"))
    assert "thirty" in passages
    assert "fifteen" not in passages


async def test_content_that_moves_to_another_name_replaces_what_had_it(library: Library, search: Search) -> None:
    fifteen, thirty = HANDBOOK, HANDBOOK.replace(b"fifteen", b"thirty")
    await library.add("a.md", fifteen)
    await library.add("b.md", thirty)
    moved, is_new = await library.add("a.md", thirty)
    assert (moved.name, is_new) == ("a.md", False)
    assert await library.catalog() == [moved]
    passages = " ".join(citation.passage for citation in await search.citations("How many days of annual leave?"))
    assert "thirty" in passages
    assert "fifteen" not in passages


async def test_of_two_that_come_at_once_to_two_replicas_the_newer_stays(
    documents: Documents, quotation: QuotationEngine
) -> None:
    meeting = asyncio.Barrier(2)

    async def catalog() -> Sequence[Document]:  # both look when both are there, and neither deletes before that
        await meeting.wait()
        found = await documents.catalog()
        await meeting.wait()
        return found

    stores = [AsyncMock(wraps=documents, catalog=AsyncMock(side_effect=catalog)) for _ in range(2)]
    contents = HANDBOOK, HANDBOOK.replace(b"fifteen", b"thirty")
    async with asyncio.timeout(30):
        answers = await asyncio.gather(
            *(Library(quotation, store).add("a.md", content) for store, content in zip(stores, contents, strict=True))
        )
    newer = max((document for document, _ in answers), key=lambda document: document.created_at)
    assert await documents.catalog() == [newer]


async def test_a_clock_set_back_does_not_keep_the_old_document(library: Library) -> None:
    await library.add("a.md", HANDBOOK)
    with patch("chatbot.retrieval.library.now", return_value="2020-01-01T00:00:00.000000Z"):
        newer, _ = await library.add("a.md", HANDBOOK.replace(b"fifteen", b"thirty"))
    assert await library.catalog() == [newer]


async def test_content_uploaded_again_replaces_what_came_between(library: Library, documents: Documents) -> None:
    first, _ = await library.add("a.md", HANDBOOK)
    await library.add("b.md", HANDBOOK.replace(b"fifteen", b"thirty"))
    between = (await library.catalog())[-1]
    await documents.add(replace(between, name="a.md"), [NewPassage("thirty", "")], [[1.0] * 384])
    again, is_new = await library.add("a.md", HANDBOOK)
    assert (again.id, is_new) == (first.id, False)
    assert await library.catalog() == [again]


async def test_documents_that_change_places_are_both_kept(library: Library) -> None:
    fifteen, thirty = HANDBOOK, HANDBOOK.replace(b"fifteen", b"thirty")
    for first, second in ((fifteen, thirty), (thirty, fifteen)):
        await library.add("a.md", first)
        await library.add("b.md", second)
    assert [document.name for document in await library.catalog()] == ["a.md", "b.md"]


async def test_a_new_name_of_another_kind_leaves_no_passage_behind(library: Library, search: Search) -> None:
    text = b"".join(b"# Chapter %d\nxylophone %d\n\n" % (number, number) for number in range(20))
    await library.add("book.md", text)
    document, _ = await library.add("book.txt", text)
    assert document.passages < 20
    assert {citation.title for citation in await search.citations("xylophone")} == {"book.txt"}


async def test_a_refused_document_leaves_the_old_one_in_place(library: Library) -> None:
    await library.add("handbook.md", HANDBOOK)
    with pytest.raises(ApiError, match=r"handbook\.md: it is binary"):
        await library.add("handbook.md", b"\0\1\2" * 50)
    assert len(await library.catalog()) == 1


async def test_deletes_with_all_passages(library: Library, search: Search) -> None:
    document, _ = await library.add("long.txt", b"The secret word is xylophone. " * 400)
    assert document.passages > 5
    assert await search.citations("xylophone secret word")
    await library.delete(document.id)
    assert await library.catalog() == []
    assert await search.citations("xylophone secret word") == []
    with pytest.raises(ApiError, match="no document") as caught:
        await library.delete(document.id)
    assert caught.value.status == 404


async def test_a_document_of_many_batches_is_kept_whole(library: Library) -> None:
    text = "\n\n".join(f"# Chapter {number}\nThe number of this chapter is {number}." for number in range(600))
    document, _ = await library.add("book.md", text.encode())
    assert document.passages == 600
    assert (await library.catalog())[0].passages == 600


async def test_the_vectors_of_a_large_document_never_lie_about_as_lists(documents: Documents) -> None:
    engine, store = ScriptedEngine(), AsyncMock(wraps=documents)
    with patch.object(engine, "embed", wraps=engine.embed) as embed:
        document, _ = await Library(engine, store).add("book.txt", b"One more sentence of it. " * 24000)
    asked = [len(call.args[0]) for call in embed.call_args_list]
    assert sum(asked) == document.passages
    assert max(asked) == EMBEDDED_PASSAGES
    _, passages, vectors = store.add.call_args.args
    assert len(passages) == len(vectors) == document.passages
    assert {vector.itemsize for vector in vectors} == {4}


async def test_embedded_documents_survive_a_restart(quotation: QuotationEngine, tmp_path: Path) -> None:
    for is_new in (True, False):
        library = Library(quotation, ChromaDocuments(chroma_connection.embedded(tmp_path)))
        assert (await library.add("handbook.md", HANDBOOK))[1] is is_new


async def test_a_server_that_is_away_is_told_as_such_and_found_again(
    chroma: Server, quotation: QuotationEngine
) -> None:
    library = Library(quotation, ChromaDocuments(chroma_connection.server(f"http://127.0.0.1:{chroma.port}")))
    await library.add("handbook.md", HANDBOOK)
    chroma.kill()
    with pytest.raises(StoreUnavailableError, match="documents store is unavailable"):
        await library.catalog()
    with pytest.raises(StoreUnavailableError):
        await library.ping()
    chroma.start()
    assert [document.name for document in await library.catalog()] == ["handbook.md"]


async def test_a_server_that_comes_back_empty_is_used_as_it_is(quotation: QuotationEngine, tmp_path: Path) -> None:
    with chroma_server(tmp_path / "old") as old:
        library = Library(quotation, ChromaDocuments(chroma_connection.server(f"http://127.0.0.1:{old.port}")))
        await library.add("handbook.md", HANDBOOK)
        old.kill()
        with chroma_server(tmp_path / "new", old.port):
            assert await library.catalog() == []
            assert (await library.add("handbook.md", HANDBOOK))[1]


async def test_a_server_may_come_later_than_the_service(chroma: Server, quotation: QuotationEngine) -> None:
    chroma.kill()
    library = Library(quotation, ChromaDocuments(chroma_connection.server(f"http://127.0.0.1:{chroma.port}")))
    with pytest.raises(StoreUnavailableError):
        await library.catalog()
    chroma.start()
    assert await library.catalog() == []


@pytest.mark.parametrize("url", ["chroma.data.svc:8000", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CHATBOT_CHROMA_URL"):
        chroma_connection.server(url)


@pytest.mark.parametrize("name, code", [("", "no_name"), (" \x07 ", "no_name"), ("a" * 300 + ".md", "name_too_long")])
def test_a_name_that_cannot_be_shown_is_refused(name: str, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        clean_name(name)
    assert caught.value.code == code


def test_a_name_in_decomposed_hangul_is_composed() -> None:
    assert clean_name(unicodedata.normalize("NFD", "규정.md")) == "규정.md"
