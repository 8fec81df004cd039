"""Plain text: a section for each run of paragraphs, so that a citation can name its line."""

from chatbot.retrieval.reading.decoding import decode
from chatbot.retrieval.reading.section import Section

SECTION_CHARACTERS = 800


def read(content: bytes) -> list[Section]:
    """Sections of about `SECTION_CHARACTERS`, each beginning after an empty line."""
    sections: list[Section] = []
    lines: list[str] = []
    first = 1
    for number, line in enumerate(decode(content).splitlines(), start=1):
        if not line.strip() and sum(map(len, lines)) >= SECTION_CHARACTERS:
            sections.append(Section("\n".join(lines), f"line {first}"))
            lines = []
        if not lines:
            if not line.strip():
                continue
            first = number
        lines.append(line)
    return [*sections, Section("\n".join(lines), f"line {first}")]
