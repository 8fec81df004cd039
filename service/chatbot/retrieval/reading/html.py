"""HTML: the visible text, in sections by headings."""

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from chatbot.retrieval.reading.decoding import decode, has_bom
from chatbot.retrieval.reading.outline import Outline
from chatbot.retrieval.reading.section import Section

INVISIBLE = ["script", "style", "template", "noscript", "svg", "nav", "title"]
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCK_NAMES = "p div li tr td th pre blockquote section article header footer table ul ol dl dt dd br"
BLOCKS = frozenset(BLOCK_NAMES.split())
DECLARED = re.compile(rb"<meta[^>]+charset=[\"']?\s*(?!utf-?16)([\w-]+)", re.IGNORECASE)
"""Not UTF-16: in a page in it, this would not be found."""


def read(content: bytes) -> list[Section]:
    """One section for each heading; scripts, styles and navigation are left out."""
    soup = BeautifulSoup(_decode(content), "html.parser")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    for unseen in soup(INVISIBLE):
        unseen.decompose()
    outline = Outline()
    outline.heading(0, title)
    words: list[str] = []

    def end_block() -> None:
        text = " ".join(" ".join(words).split())
        words.clear()
        if text:
            outline.text(text)

    # A list of what is to come, no recursion: each `<p>` that is not closed is the parent of the next.
    coming: list[PageElement | None] = [soup]
    while coming:
        element = coming.pop()
        if element is None:
            end_block()
        elif isinstance(element, Tag):
            if element.name in HEADINGS:
                end_block()
                outline.heading(HEADINGS[element.name], element.get_text(" ", strip=True))
                continue
            if element.name in BLOCKS:
                end_block()
                coming.append(None)
            coming += reversed(element.contents)
        elif isinstance(element, NavigableString) and not isinstance(element, PreformattedString):
            words.append(str(element))
    end_block()
    return outline.sections()


def _decode(content: bytes) -> str:
    declared = DECLARED.search(content[:2048])
    if declared and not has_bom(content):
        try:
            return content.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeError):
            pass  # many pages declare what they are not
    return decode(content)
