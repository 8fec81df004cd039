"""Documents and passages as the service sees them, whatever keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document that somebody gave to the service."""

    id: str
    """`doc_` and the beginning of the SHA-256 of the content: the same content is the same document."""
    name: str
    bytes: int
    passages: int
    created_at: str
    """RFC 3339, UTC."""


@dataclass(frozen=True, kw_only=True)
class StoredPassage:
    """A piece of a document that was found for a question."""

    document_id: str
    title: str
    """Name of the document."""
    location: str
    """Where in the document: `page 3`, `Setup > Network`, `line 12`."""
    text: str
    similarity: float
    """Cosine similarity to the question, -1 to 1."""


@dataclass(frozen=True)
class NewPassage:
    """A piece of a document on its way into the store."""

    text: str
    location: str


class Documents(Protocol):
    """A store of documents. Every method may raise `StoreUnavailableError`."""

    async def catalog(self) -> Sequence[Document]:
        """All documents, by name."""
        ...

    async def get(self, document_id: str) -> Document | None:
        """One document."""
        ...

    async def add(self, document: Document, passages: Sequence[NewPassage], vectors: Sequence[Sequence[float]]) -> None:
        """Keep a document; its passages and their vectors have the same order."""
        ...

    async def delete(self, document_id: str) -> bool:
        """Forget a document. False: there is none with this id."""
        ...

    async def nearest(self, vector: Sequence[float], limit: int) -> Sequence[StoredPassage]:
        """The passages closest to a vector, the closest first."""
        ...

    async def containing(self, vector: Sequence[float], words: Sequence[str], limit: int) -> Sequence[StoredPassage]:
        """The passages closest to a vector among those that contain one of `words` as written."""
        ...

    async def ping(self) -> None:
        """Return if the store can be used now."""
        ...

    async def close(self) -> None:
        """Close files or connections."""
        ...
