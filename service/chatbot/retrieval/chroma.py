"""Documents in Chroma: one entry for each passage; passage 0 stands for its document in the list."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import structlog
from chromadb.errors import ChromaError, NotFoundError

from chatbot.errors import StoreUnavailableError
from chatbot.retrieval.chroma_connection import Collection, Connect
from chatbot.retrieval.protocol import Document, NewPassage, StoredPassage

ANSWER_SECONDS = 10.0
WRITE_SECONDS = 60.0
BATCH_PASSAGES = 500

log = structlog.get_logger()


class ChromaDocuments:
    """See `Documents`; connects at the first use, and again when the collection is not there any more."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._collection: Collection | None = None
        self._connecting = asyncio.Lock()

    async def catalog(self) -> Sequence[Document]:
        """See `Documents.catalog`."""
        found = await self._call("get", where={"index": 0}, include=["metadatas"])
        return sorted(map(_document, found["metadatas"]), key=lambda document: document.name)

    async def get(self, document_id: str) -> Document | None:
        """See `Documents.get`."""
        found = await self._call("get", ids=[f"{document_id}:0"], include=["metadatas"])
        return _document(found["metadatas"][0]) if found["metadatas"] else None

    async def add(self, document: Document, passages: Sequence[NewPassage], vectors: Sequence[Sequence[float]]) -> None:
        """See `Documents.add`; passage 0 comes last, so that a half-written document is never listed."""
        about = {
            "document_id": document.id,
            "name": document.name,
            "bytes": document.bytes,
            "passages": document.passages,
            "created_at": document.created_at,
        }
        for start in reversed(range(0, len(passages), BATCH_PASSAGES)):
            numbers = range(start, min(start + BATCH_PASSAGES, len(passages)))
            await self._call(
                "upsert",
                seconds=WRITE_SECONDS,
                ids=[f"{document.id}:{number}" for number in numbers],
                embeddings=[list(vectors[number]) for number in numbers],
                documents=[passages[number].text for number in numbers],
                metadatas=[{**about, "index": number, "location": passages[number].location} for number in numbers],
            )

    async def delete(self, document_id: str) -> bool:
        """See `Documents.delete`."""
        known = await self.get(document_id) is not None
        await self._call("delete", seconds=WRITE_SECONDS, where={"document_id": document_id})
        return known

    async def nearest(self, vector: Sequence[float], limit: int) -> Sequence[StoredPassage]:
        """See `Documents.nearest`."""
        return await self._query(vector, limit, None)

    async def containing(self, vector: Sequence[float], words: Sequence[str], limit: int) -> Sequence[StoredPassage]:
        """See `Documents.containing`."""
        clauses = [{"$contains": word} for word in words]
        if not clauses:
            return []
        return await self._query(vector, limit, clauses[0] if len(clauses) == 1 else {"$or": clauses})

    async def ping(self) -> None:
        """See `Documents.ping`."""
        await self._call("get", limit=1, include=[])

    async def close(self) -> None:
        """Nothing to do: Chroma's clients are shared by the process and end with it."""

    async def _query(
        self, vector: Sequence[float], limit: int, condition: dict[str, Any] | None
    ) -> Sequence[StoredPassage]:
        found = await self._call(
            "query",
            query_embeddings=[list(vector)],
            n_results=limit,
            where_document=condition,
            include=["documents", "metadatas", "distances"],
        )
        rows = zip(found["documents"][0], found["metadatas"][0], found["distances"][0], strict=True)
        return [
            StoredPassage(
                document_id=about["document_id"],
                title=about["name"],
                location=about["location"],
                text=text,
                similarity=1 - distance,
            )
            for text, about, distance in rows
        ]

    async def _call(self, method: str, *, seconds: float = ANSWER_SECONDS, **arguments: Any) -> Any:
        # One more try on a new connection: after the server was replaced, what is held points to nothing.
        try:
            return await self._attempt(method, seconds, arguments)
        except NotFoundError:
            self._collection = None
        return await self._attempt(method, seconds, arguments)

    async def _attempt(self, method: str, seconds: float, arguments: dict[str, Any]) -> Any:
        try:
            async with asyncio.timeout(seconds):
                collection = await self._open()
                return await collection.call(method, **arguments)
        except NotFoundError:
            raise
        except (httpx.HTTPError, ChromaError, TimeoutError, OSError, ValueError) as error:
            # Chroma's client reports a server that is away as a ValueError when it connects.
            log.warning("documents_unavailable", reason=type(error).__name__, detail=str(error)[:200])
            raise StoreUnavailableError("documents", "Chroma does not answer") from error

    async def _open(self) -> Collection:
        async with self._connecting:
            if self._collection is None:
                self._collection = await self._connect()
            return self._collection


def _document(about: dict[str, Any]) -> Document:
    return Document(
        id=about["document_id"],
        name=about["name"],
        bytes=about["bytes"],
        passages=about["passages"],
        created_at=about["created_at"],
    )
