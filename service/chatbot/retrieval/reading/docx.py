"""Word documents (.docx): paragraphs and tables in their order, in sections by headings."""

import io
import re
import zipfile
from collections.abc import Iterator

from docx import Document
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.text.paragraph import Paragraph

from chatbot.retrieval.reading.outline import Outline
from chatbot.retrieval.reading.section import Section, UnreadableError, damaged

MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAIN_PART = "word/document.xml"
PARAGRAPH, TABLE, ROW, CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
CHARACTERS = frozenset(map(qn, ("w:t", "w:tab", "w:ptab", "w:br", "w:cr", "w:noBreakHyphen")))
UNREAD = frozenset(
    [
        *map(qn, ("w:del", "w:moveFrom")),  # tracked changes: what was there before
        *map(qn, ("w:pPr", "w:rPr")),  # their `w:tab` is a tab stop
        qn("w:rt"),  # how a word is pronounced, written above it
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",  # a text box once more, for old Words
    ]
)
HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)


def read(content: bytes) -> list[Section]:
    """One section for each heading; headers, footers and notes stay unread."""
    outline = Outline()
    try:
        _check_package(content)
        document = Document(io.BytesIO(content))
        for block in _inside(document.element.body, PARAGRAPH, TABLE):
            if block.tag == TABLE:
                for row in _rows(block):
                    outline.text(row)
            elif level := _heading_level(Paragraph(block, document)):
                outline.heading(level, _text(block))
            else:
                outline.text(_text(block))
    except UnreadableError:
        raise
    except Exception as error:  # what the library raises for a damaged file depends on the damage
        raise damaged("Word") from error
    return outline.sections()


def _check_package(content: bytes) -> None:
    """Look at the package's table before anything of it is unpacked: a small file can hold gigabytes of zeros."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sizes = {item.filename: item.file_size for item in package.infolist()}
    if MAIN_PART not in sizes:
        raise damaged("Word")
    if sum(sizes.values()) > MAX_UNPACKED_BYTES:
        raise UnreadableError(f"unpacked it is larger than {MAX_UNPACKED_BYTES // 1024**2} MiB.", "document_too_large")


def _inside(element: BaseOxmlElement, *tags: str) -> Iterator[BaseOxmlElement]:
    """The outermost elements of these kinds, also those in content controls and tracked insertions."""
    for child in element:
        if child.tag in tags:
            yield child
        elif child.tag not in UNREAD:
            yield from _inside(child, *tags)


def _text(element: BaseOxmlElement) -> str:
    """The text of a paragraph or a cell, with the paragraphs, tables and text boxes in it, each on lines of its own."""
    pieces: list[str] = []
    for child in _inside(element, PARAGRAPH, TABLE, *CHARACTERS):
        if child.tag == PARAGRAPH:
            pieces += ["\n", _text(child), "\n"]
        elif child.tag == TABLE:
            pieces += ["\n", "\n".join(_rows(child)), "\n"]
        else:
            pieces.append(str(child))
    return re.sub(r"\n{2,}", "\n", "".join(pieces)).strip("\n")


def _rows(table: BaseOxmlElement) -> Iterator[str]:
    """The rows as lines; what a cell over several rows says is in each of them, so that each can be found by it."""
    above: dict[int, str] = {}
    for row in _inside(table, ROW):
        cells: list[str] = []
        column = _number(row, "w:trPr/w:gridBefore")
        for cell in _inside(row, CELL):
            merges = cell.xpath("w:tcPr/w:vMerge")
            goes_on = bool(merges) and merges[0].get(qn("w:val"), "continue") == "continue"
            text = above.get(column, "") if goes_on else ""
            cells.append(text or _text(cell).strip())
            above[column] = cells[-1] if merges else ""
            column += _number(cell, "w:tcPr/w:gridSpan", 1)
        if any(cells):
            yield " | ".join(cells)


def _number(element: BaseOxmlElement, path: str, default: int = 0) -> int:
    found = element.xpath(f"{path}/@w:val")
    return int(found[0]) if found else default


def _heading_level(paragraph: Paragraph) -> int:
    """1 to 9 for a heading, 0 for other text; a style's name, unlike its id, is English in every language of Word."""
    name = (paragraph.style.name if paragraph.style else None) or ""
    if name.lower() == "title":
        return 1
    heading = HEADING.fullmatch(name)
    return int(heading[1]) if heading else 0
