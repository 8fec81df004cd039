"""Word documents (.docx): paragraphs and tables in their order, in sections by headings."""

import io
import zipfile

from docx import Document
from docx.table import Table
from docx.text.paragraph import Paragraph

from chatbot.retrieval.reading.outline import Outline
from chatbot.retrieval.reading.section import Section, UnreadableError, damaged

MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAIN_PART = "word/document.xml"


def read(content: bytes) -> list[Section]:
    """One section for each heading."""
    _check_package(content)
    try:
        document = Document(io.BytesIO(content))
    except (KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as error:
        raise damaged("Word") from error
    outline = Outline()
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                outline.text(" | ".join(dict.fromkeys(cell.text.strip() for cell in row.cells)))
        elif level := _heading_level(block):
            outline.heading(level, block.text)
        else:
            outline.text(block.text)
    return outline.sections()


def _check_package(content: bytes) -> None:
    """Look at the package's table before anything of it is unpacked: a small file can hold gigabytes of zeros."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            sizes = {item.filename: item.file_size for item in package.infolist()}
    except zipfile.BadZipFile as error:
        raise damaged("Word") from error
    if MAIN_PART not in sizes:
        raise damaged("Word")
    if sum(sizes.values()) > MAX_UNPACKED_BYTES:
        raise UnreadableError(f"unpacked it is larger than {MAX_UNPACKED_BYTES // 1024**2} MiB.", "document_too_large")


def _heading_level(paragraph: Paragraph) -> int:
    """1 to 9 for a heading, 0 for other text; `style_id` is English in every language of Word."""
    style = paragraph.style.style_id if paragraph.style else ""
    if style == "Title":
        return 1
    level = style.removeprefix("Heading")
    return int(level) if level.isdigit() and style != level else 0
