"""What Word documents hold besides plain paragraphs, and what is damaged in them."""

import io
import zipfile

import pytest

from chatbot.errors import ApiError
from chatbot.retrieval.reading import read
from tests.service.chatbot.retrieval.samples import docx_bytes, docx_of


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(text: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}{run(text)}</w:p>"


def control(content: str) -> str:
    return f"<w:sdt><w:sdtPr/><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def cell(content: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(cells)}</w:tr>"


def table(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/><w:tblGrid/>{''.join(rows)}</w:tbl>"


def text_of(body: str) -> str:
    (section,) = read("a.docx", docx_of(body))
    return section.text


@pytest.mark.parametrize(
    "body, text",
    [
        pytest.param(control(paragraph("inside")), "inside", id="content-control"),
        pytest.param(f"<w:p>{run('from ')}{control(run('5 May'))}</w:p>", "from 5 May", id="content-control-in-a-line"),
        pytest.param(control(table(row(cell(paragraph("a"))))), "a", id="table-in-a-content-control"),
        pytest.param(
            table(control(row(cell(paragraph("a")), control(cell(paragraph("b")))))),
            "a | b",
            id="row-and-cell-controls",
        ),
        pytest.param(f"<w:p>{run('15')}<w:ins>{run(' days')}</w:ins></w:p>", "15 days", id="insertion"),
        pytest.param(
            f"<w:p>{run('15')}<w:del><w:r><w:delText>12</w:delText></w:r></w:del>"
            f"<w:moveFrom>{run('away')}</w:moveFrom><w:moveTo>{run(' days')}</w:moveTo></w:p>",
            "15 days",
            id="deletion-and-move",
        ),
        pytest.param(f'<w:p><w:fldSimple w:instr="DATE">{run("5 May")}</w:fldSimple></w:p>', "5 May", id="field"),
        pytest.param(
            "<w:p><w:r><w:ruby><w:rt><w:r><w:t>연차</w:t></w:r></w:rt>"
            "<w:rubyBase><w:r><w:t>年次</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>",
            "年次",
            id="word-with-its-pronunciation",
        ),
        pytest.param(
            '<w:p><w:pPr><w:tabs><w:tab w:val="left" w:pos="1"/></w:tabs></w:pPr>'
            "<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>",
            "a\tb\nc-d",
            id="tabs-and-breaks",
        ),
        pytest.param(
            "<w:p><w:r><w:t>before</w:t><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:txbx>"
            f"<w:txbxContent>{paragraph('box')}</w:txbxContent></wps:txbx></w:drawing></mc:Choice><mc:Fallback>"
            f"<w:pict><v:textbox><w:txbxContent>{paragraph('box')}</w:txbxContent></v:textbox></w:pict></mc:Fallback>"
            "</mc:AlternateContent></w:r></w:p>",
            "before\nbox",
            id="text-box-once",
        ),
        pytest.param(
            table(row(cell(paragraph("outer")), cell(table(row(cell(paragraph("성명")), cell(paragraph("김"))))))),
            "outer | 성명 | 김",
            id="table-in-a-table",
        ),
        pytest.param(table(row(*[cell(paragraph(text)) for text in "OOX"])), "O | O | X", id="equal-cells"),
        pytest.param(
            table(row(cell(paragraph("wide"), '<w:gridSpan w:val="2"/>'), cell(paragraph("a")))),
            "wide | a",
            id="wide-cell-once",
        ),
        pytest.param(
            table(
                row(cell(paragraph("leave"), '<w:vMerge w:val="restart"/>'), cell(paragraph("annual"))),
                row(cell("<w:p/>", "<w:vMerge/>"), cell(paragraph("sick"))),
                row(cell(paragraph("meals")), cell(paragraph("lunch"))),
            ),
            "leave | annual\nleave | sick\nmeals | lunch",
            id="tall-cell-in-each-row",
        ),
        pytest.param(
            table(row(cell(paragraph("alone"), "<w:vMerge/>"), cell(paragraph("a")))),
            "alone | a",
            id="lone-merged-cell",
        ),
    ],
)
def test_no_text_is_lost(body: str, text: str) -> None:
    assert text_of(body) == text


def test_headings_are_known_in_the_word_of_every_language() -> None:
    body = "".join(
        [
            paragraph("인사 규정", "a3"),
            paragraph("서문"),
            paragraph("휴가", "1"),
            paragraph("연차", "2"),
            paragraph("15일"),
            control(paragraph("출장", "1")),
            paragraph("2등석"),
        ]
    )
    sections = read("a.docx", docx_of(body, {"a3": "Title", "1": "heading 1", "2": "heading 2"}))
    assert [(section.location, section.text) for section in sections] == [
        ("인사 규정", "인사 규정\n서문"),
        ("휴가 > 연차", "연차\n15일"),
        ("출장", "출장\n2등석"),
    ]


def changed(name: str, content: bytes) -> bytes:
    """A good document with another part in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx_bytes())) as good, zipfile.ZipFile(buffer, "w") as package:
        for item in good.namelist():
            package.writestr(item, content if item == name else good.read(item))
    return buffer.getvalue()


def broken_stream() -> bytes:
    """A good document whose main part is no longer what the compression expects."""
    content = bytearray(docx_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        start = package.getinfo("word/document.xml").header_offset
    body = start + 30 + len("word/document.xml")
    content[body : body + 40] = b"\xff" * 40
    return bytes(content)


def marked(offset_in_entry: int, value: int) -> bytes:
    """A good document with one byte changed in each entry of the package's table."""
    content = bytearray(docx_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + offset_in_entry] = value
        at = content.find(b"PK\x01\x02", at + 4)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(broken_stream(), id="broken-compression"),
        pytest.param(marked(8, 1), id="encrypted-parts"),
        pytest.param(marked(10, 99), id="unknown-compression"),
        pytest.param(marked(6, 99), id="package-of-a-later-version"),
        pytest.param(changed("word/document.xml", b"<w:document"), id="cut-short"),
        pytest.param(changed("word/document.xml", b"<a/>"), id="another-kind-of-xml"),
        pytest.param(changed("[Content_Types].xml", b"<a/>"), id="no-content-types"),
        pytest.param(
            docx_of(table(row(cell(paragraph("a"), '<w:gridSpan w:val="x"/>')))), id="width-that-is-no-number"
        ),
    ],
)
def test_a_damaged_document_is_refused_as_such(content: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        read("a.docx", content)
    assert (caught.value.status, caught.value.code) == (400, "document_damaged")
