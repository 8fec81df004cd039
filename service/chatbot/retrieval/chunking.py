"""Cutting sections into passages that an embedding model can take in whole."""

import re
from collections.abc import Sequence

from chatbot.retrieval.protocol import NewPassage
from chatbot.retrieval.reading.section import Section

PASSAGE_CHARACTERS = 900
OVERLAP_CHARACTERS = 120
# The model reads 256 word pieces: about 1000 English characters. Peers use 1000/100 (see the decision record).
BOUNDARIES = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?。])\s+"), re.compile(r"\s+"))


def passages_of(sections: Sequence[Section]) -> list[NewPassage]:
    """Passages of at most `PASSAGE_CHARACTERS`; short sections of one heading stay whole, no text is lost."""
    return [NewPassage(text, section.location) for section in sections for text in cut(section.text)]


def cut(text: str) -> list[str]:
    """`text` in overlapping pieces, each ending at the best boundary in its last half."""
    text = text.strip()
    pieces = []
    start = 0
    while len(text) - start > PASSAGE_CHARACTERS:
        end = _boundary(text, start + PASSAGE_CHARACTERS // 2, start + PASSAGE_CHARACTERS)
        pieces.append(text[start:end].strip())
        start = _word_start(text, end - OVERLAP_CHARACTERS, end)
    pieces.append(text[start:].strip())
    return [piece for piece in pieces if piece]


def _boundary(text: str, low: int, high: int) -> int:
    for pattern in BOUNDARIES:
        ends = [match.end() for match in pattern.finditer(text, low, high)]
        if ends:
            return ends[-1]
    return high


def _word_start(text: str, low: int, high: int) -> int:
    match = BOUNDARIES[-1].search(text, low, high)
    return match.end() if match else high
