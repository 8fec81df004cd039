"""PDF: the text of each page."""

import io

from pypdf import PdfReader

from chatbot.retrieval.reading.section import Section, UnreadableError, damaged


def read(content: bytes) -> list[Section]:
    """One section for each page; pictures of text stay unread."""
    if b"%PDF-" not in content[:1024]:
        raise damaged("PDF")
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("it is protected by a password.", "document_protected")
        return [Section(page.extract_text(), f"page {number}") for number, page in enumerate(reader.pages, start=1)]
    except UnreadableError:
        raise
    except Exception as error:  # what the library raises for a damaged file depends on the damage
        raise damaged("PDF") from error
