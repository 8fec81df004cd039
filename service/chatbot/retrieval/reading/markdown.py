"""Markdown: sections by headings; the text stays as written."""

import re

from chatbot.retrieval.reading.decoding import decode
from chatbot.retrieval.reading.outline import Outline
from chatbot.retrieval.reading.section import Section

HEADING = re.compile(r"(#{1,6})\s+(.*)")
CLOSING = re.compile(r"(?:^|\s)#+$")
FENCE = re.compile(r"\s{0,3}(```|~~~)")


def read(content: bytes) -> list[Section]:
    """One section for each heading."""
    outline = Outline()
    fence: str | None = None
    for line in decode(content).splitlines():
        if mark := FENCE.match(line):
            fence = None if fence == mark[1] else fence or mark[1]
        heading = None if fence else HEADING.match(line)
        if heading:
            outline.heading(len(heading[1]), CLOSING.sub("", heading[2].rstrip()))
        else:
            outline.text(line)
    return outline.sections()
