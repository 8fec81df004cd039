"""From a document's bytes to its text in sections, by the kind of the document."""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from chatbot.errors import ApiError
from chatbot.retrieval.reading import docx, html, markdown, pdf, plain
from chatbot.retrieval.reading.section import Section, UnreadableError

READERS: dict[str, Callable[[bytes], Sequence[Section]]] = {
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".txt": plain.read,
    ".html": html.read,
    ".htm": html.read,
    ".pdf": pdf.read,
    ".docx": docx.read,
}
KINDS = ".md, .txt, .html, .pdf, .docx"


def read(name: str, content: bytes) -> list[Section]:
    """The sections of a document that have text.

    Raises:
        ApiError: 400 (empty, damaged, undecodable, no text) or 415 (a kind that is not read), naming the document.
    """
    if not content.strip():
        raise ApiError(400, f"{name}: the document is empty.", code="document_empty", param="file")
    reader = READERS.get(PurePosixPath(name.lower()).suffix)
    if reader is None:
        raise ApiError(
            415, f"{name}: this kind of document is not read; {KINDS} are.", code="document_type", param="file"
        )
    try:
        sections = [Section(_whole(section.text), _whole(section.location)) for section in reader(content)]
    except UnreadableError as error:
        raise ApiError(400, f"{name}: {error}", code=error.code, param="file") from error
    sections = [section for section in sections if section.text.strip()]
    if not sections:
        raise ApiError(400, f"{name}: there is no text in it.", code="document_without_text", param="file")
    return sections


def _whole(text: str) -> str:
    """Without halves of characters (surrogates), which a faulty font map brings and which nothing can write down."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
