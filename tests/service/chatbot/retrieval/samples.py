"""Documents of every kind, made on the spot."""

import io
import zipfile

from docx import Document
from docx.oxml.parser import parse_xml

KOREAN = "연차 휴가는 입사 1년 이후 15일이 주어집니다. 휴가 신청은 3일 전에 합니다."


def docx_bytes() -> bytes:
    document = Document()
    document.add_heading("Handbook", 0)
    document.add_heading("Leave", 1)
    document.add_paragraph(KOREAN)
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "half day", "4 hours"
    document.add_heading("Travel", 1)
    document.add_paragraph("Trains are second class.")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def docx_of(body: str, styles: dict[str, str] | None = None) -> bytes:
    """A document with this XML in its body, and styles (id: name) as an installation of Word in some language has."""
    spaces = {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "v": "urn:schemas-microsoft-com:vml",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    }
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    document = Document()
    document.element.body[:] = list(parse_xml(f"<w:body {declared}>{body}</w:body>"))
    for identifier, name in (styles or {}).items():
        style = f'<w:style {declared} w:type="paragraph" w:styleId="{identifier}"><w:name w:val="{name}"/></w:style>'
        document.styles.element.append(parse_xml(style))
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def zip_of(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return buffer.getvalue()


def zip_bomb() -> bytes:
    return zip_of({"word/document.xml": b"\0" * (201 * 1024 * 1024)})


def pdf_bytes(*pages: str, font_map: str = "") -> bytes:
    """A minimal PDF with one line of text on each page (PDF 1.4, Helvetica).

    The map says which character a code stands for: `<41> <AC00>`.
    """
    cmap = f"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar {font_map} endbfchar".encode()
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", _stream(cmap)]
    kids = []
    for text in pages:
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
        number = len(objects) + 1
        kids.append(f"{number} 0 R")
        to_unicode = "/ToUnicode 3 0 R " if font_map else ""
        font = f"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica {to_unicode}>> >> >>"
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {number + 1} 0 R /Resources {font} >>"
        objects += [page.encode(), _stream(stream)]
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
