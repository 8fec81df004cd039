"""HTML: the visible text, in sections by headings."""

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from chatbot.retrieval.reading.decoding import decode
from chatbot.retrieval.reading.outline import Outline
from chatbot.retrieval.reading.section import Section

INVISIBLE = ["script", "style", "template", "noscript", "svg", "nav", "head"]
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCK_NAMES = "p div li tr td th pre blockquote section article header footer table ul ol dl dt dd br"
BLOCKS = frozenset(BLOCK_NAMES.split())
DECLARED = re.compile(rb"<meta[^>]+charset=[\"']?\s*([\w-]+)", re.IGNORECASE)


def read(content: bytes) -> list[Section]:
    """One section for each heading; scripts, styles and navigation are left out."""
    soup = BeautifulSoup(_decode(content), "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for element in soup(INVISIBLE):
        element.decompose()
    outline = Outline()
    outline.heading(0, title)
    words: list[str] = []

    def end_block() -> None:
        text = " ".join(" ".join(words).split())
        words.clear()
        if text:
            outline.text(text)

    def visit(element: Tag) -> None:
        for child in element.children:
            if isinstance(child, Tag):
                if child.name in HEADINGS:
                    end_block()
                    outline.heading(HEADINGS[child.name], child.get_text(" ", strip=True))
                    continue
                is_block = child.name in BLOCKS
                if is_block:
                    end_block()
                visit(child)
                if is_block:
                    end_block()
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                words.append(str(child))

    visit(soup)
    end_block()
    return outline.sections()


def _decode(content: bytes) -> str:
    declared = DECLARED.search(content[:2048])
    if declared:
        try:
            return content.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass  # many pages declare what they are not
    return decode(content)
