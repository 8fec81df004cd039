"""Taking documents in: read, cut, embed, keep."""

import asyncio
import hashlib
import unicodedata
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta

from chatbot.engine.protocol import Engine
from chatbot.errors import ApiError, not_found
from chatbot.history.protocol import now
from chatbot.retrieval.chunking import passages_of
from chatbot.retrieval.protocol import Document, Documents
from chatbot.retrieval.reading import read

MAX_NAME_CHARACTERS = 200
EMBEDDED_PASSAGES = 512
"""So many at a time; between them the vectors are packed: as lists, those of 20 MiB would fill the pod's memory."""


class Library:
    """The documents of the installation."""

    def __init__(self, engine: Engine, documents: Documents) -> None:
        self._engine = engine
        self._documents = documents
        self._adding = asyncio.Lock()

    async def catalog(self) -> Sequence[Document]:
        """All documents, by name."""
        return await self._documents.catalog()

    async def add(self, name: str, content: bytes) -> tuple[Document, bool]:
        """Take in a document; the flag says whether it is new.

        The same content again changes nothing; under another name it takes that name. The same name with other content
        replaces the old document, which stays in place until the new one is complete. Of two that come to two replicas
        at once, under one name, the newer stays.

        Raises:
            ApiError: 400 or 415, naming the document and what is wrong with it.
        """
        name = clean_name(name)
        identifier = f"doc_{hashlib.sha256(content).hexdigest()[:24]}"
        async with self._adding:  # two uploads at once would only take turns at the embedding model
            known = await self._documents.get(identifier)
            old = [other for other in await self._named(name) if other.id != identifier]
            if known and known.name == name and not old:
                return known, False
            # Newer than what it replaces, whatever the clocks say: replicas differ, and a clock may be set back.
            created_at = max([now(), *(_just_after(other.created_at) for other in old)])
            document = await self._take_in(identifier, name, content, created_at)
            for other in (await self._named(name))[:-1]:
                await self._documents.delete(other.id)
        return document, known is None

    async def _named(self, name: str) -> Sequence[Document]:
        """The documents of this name, the newest last: more than one only until the others are deleted."""
        named = [document for document in await self._documents.catalog() if document.name == name]
        return sorted(named, key=lambda document: (document.created_at, document.id))

    async def _take_in(self, identifier: str, name: str, content: bytes, created_at: str) -> Document:
        sections = await asyncio.to_thread(read, name, content)
        passages = await asyncio.to_thread(passages_of, sections)
        vectors: list[array[float]] = []
        for start in range(0, len(passages), EMBEDDED_PASSAGES):
            texts = [passage.text for passage in passages[start : start + EMBEDDED_PASSAGES]]
            vectors += [array("f", vector) for vector in (await self._engine.embed(texts)).vectors]
        document = Document(id=identifier, name=name, bytes=len(content), passages=len(passages), created_at=created_at)
        # Under another name it may have been read as another kind, and cut into more passages.
        await self._documents.delete(identifier)
        await self._documents.add(document, passages, vectors)
        return document

    async def delete(self, document_id: str) -> None:
        """Forget a document; 404 when there is none."""
        if not await self._documents.delete(document_id):
            raise not_found("document", document_id)

    async def ping(self) -> None:
        """Return if the store can be used now."""
        await self._documents.ping()


def _just_after(time: str) -> str:
    later = datetime.fromisoformat(time) + timedelta(microseconds=1)
    return later.isoformat(timespec="microseconds").replace("+00:00", "Z")


def clean_name(name: str) -> str:
    """A name as it is shown: no control characters, composed Hangul (macOS sends it in parts), `/` as separator."""
    text = "".join(character for character in unicodedata.normalize("NFC", name) if character.isprintable()).strip()
    if not text:
        raise ApiError(400, "The document has no name.", code="no_name", param="name")
    if len(text) > MAX_NAME_CHARACTERS:
        raise ApiError(
            400, f"The name is longer than {MAX_NAME_CHARACTERS} characters.", code="name_too_long", param="name"
        )
    return text
