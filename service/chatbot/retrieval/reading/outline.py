"""The path of headings over a text, for documents that have headings."""

from chatbot.retrieval.reading.section import Section


class Outline:
    """Collects text under headings."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []
        self._text: list[str] = []
        self._sections: list[Section] = []

    def heading(self, level: int, title: str) -> None:
        """Begin a section; deeper and equal headings before it end."""
        self._close()
        self._path = [item for item in self._path if item[0] < level]
        if title.strip():
            self._path.append((level, title.strip()))

    def text(self, text: str) -> None:
        """Add a line or a paragraph."""
        self._text.append(text)

    def sections(self) -> list[Section]:
        """All sections; each begins with its heading, which often has the words that a question uses."""
        self._close()
        return self._sections

    def _close(self) -> None:
        body = "\n".join(self._text).strip()
        self._text = []
        if body:
            title = f"{self._path[-1][1]}\n" if self._path else ""
            self._sections.append(Section(f"{title}{body}", " > ".join(name for _, name in self._path)))
