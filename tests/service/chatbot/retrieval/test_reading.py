"""From bytes to sections."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import ApiError
from chatbot.retrieval.reading import read
from tests.service.chatbot.retrieval.samples import KOREAN, docx_bytes, pdf_bytes, zip_bomb

MARKDOWN = "intro\n\n# Setup\none\n\n## Network\ntwo\n```sh\n# not a heading\n```\n# Use\nthree\n"
HTML = (
    "<html><head><title>Guide</title><style>p{}</style></head><body><nav>menu</nav><h1>Start</h1>"
    "<p>Press <b>the</b> button.</p><script>alert(1)</script><h2>More</h2><ul><li>one</li><li>two</li></ul>"
    "<!-- hidden --></body></html>"
)


def test_markdown_has_a_section_for_each_heading() -> None:
    sections = read("a.md", MARKDOWN.encode())
    assert [section.location for section in sections] == ["", "Setup", "Setup > Network", "Use"]
    assert "# not a heading" in sections[2].text
    assert sections[3].text == "Use\nthree"


@pytest.mark.parametrize("line, title", [("# Use ##", "Use"), ("# C#", "C#"), ("# #tag", "#tag"), ("## ##", "")])
def test_markdown_takes_only_the_closing_marks_off_a_heading(line: str, title: str) -> None:
    (section,) = read("a.md", f"{line}\ntext".encode())
    assert (section.location, section.text) == (title, f"{title}\ntext".strip())


@pytest.mark.parametrize("filling", [" ", "#", " #"])
def test_markdown_reads_a_long_heading_in_no_time(filling: str) -> None:
    begin = time.perf_counter()
    read("a.md", f"# a{filling * 1000}b\ntext".encode())
    assert time.perf_counter() - begin < 0.5


def test_html_keeps_what_is_seen_and_nothing_else() -> None:
    sections = read("a.html", HTML.encode())
    assert [section.location for section in sections] == ["Guide > Start", "Guide > Start > More"]
    whole = "\n".join(section.text for section in sections)
    assert "Press the button." in whole
    assert "one\ntwo" in whole
    for unseen in ("menu", "alert", "hidden", "p{}"):
        assert unseen not in whole


def test_html_without_an_end_of_its_head_is_read() -> None:
    (section,) = read("a.html", b"<html><head><title>Guide</title><body><p>text")
    assert (section.location, section.text) == ("Guide", "Guide\ntext")


@pytest.mark.parametrize(
    "declared, encoding",
    [
        ("euc-kr", "euc-kr"),
        ("ks_c_5601-1987", "cp949"),
        ("utf-8", "utf-8-sig"),
        ("euc-kr", "utf-8-sig"),
        ("utf-16", "utf-8"),
        ("utf-16", "utf-16"),
        ("undefined", "utf-8"),
        ("no-such-thing", "utf-8"),
    ],
)
def test_html_is_read_in_the_encoding_it_declares_unless_it_has_another(declared: str, encoding: str) -> None:
    for end in ("", " "):  # of an even and of an odd length
        page = f'<meta charset="{declared}"><p>{KOREAN}</p>{end}'.encode(encoding)
        assert [section.text for section in read("a.html", page)] == [KOREAN]


def test_pdf_names_the_page() -> None:
    sections = read("a.pdf", pdf_bytes("first page", "second page"))
    assert [(section.text.strip(), section.location) for section in sections] == [
        ("first page", "page 1"),
        ("second page", "page 2"),
    ]


def test_half_a_character_in_a_font_map_spoils_neither_the_rest_nor_what_is_written_down() -> None:
    (section,) = read("a.pdf", pdf_bytes("ABC", font_map="<42> <D83D>"))
    assert section.text.strip() == "A\ufffdC"
    assert section.text.encode()


def test_word_keeps_headings_and_tables_in_order() -> None:
    sections = read("a.docx", docx_bytes())
    assert [section.location for section in sections] == ["Leave", "Travel"]
    assert KOREAN in sections[0].text
    assert "half day | 4 hours" in sections[0].text


def test_text_names_the_line() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 100 for number in range(6))
    sections = read("a.txt", text.encode())
    assert [section.location for section in sections][:2] == ["line 1", "line 5"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "euc-kr", "cp949"])
def test_korean_is_read_in_every_encoding_it_is_found_in(encoding: str) -> None:
    text = KOREAN + ("" if encoding == "euc-kr" else " 똠방각하 펲시콜라" if encoding == "cp949" else "")
    assert read("규정.txt", text.encode(encoding))[0].text == text


def test_western_text_in_an_old_encoding_is_not_taken_for_korean() -> None:
    for text in (
        "Die Größe der Tür beträgt zwei Meter. Das Café schließt früh, über Mittag ist geöffnet. " * 5,
        "Äpfel bringen Ärger, Ägypten exportiert Ähren. " * 5,  # valid CP949, byte for byte
    ):
        assert text.strip() in read("a.txt", text.encode("cp1252"))[0].text


@pytest.mark.parametrize(
    "name, content, code, text",
    [
        ("a.txt", b"", "document_empty", "empty"),
        ("a.txt", b" \n\t ", "document_empty", "empty"),
        ("a.md", bytes(range(256)) * 10, "document_binary", "binary"),
        ("a.txt", b"\x7fELF" + b"\0" * 100, "document_binary", "binary"),
        ("a.txt", b"\xff\xfe\x00\xd8\x00\xd8x", "document_undecodable", "UTF-8"),
        ("a.exe", b"MZ", "document_type", ".docx"),
        ("README", b"text", "document_type", ".md"),
        ("a.pdf", b"not a pdf at all", "document_damaged", "PDF"),
        ("a.pdf", b"%PDF-1.7\ngarbage", "document_damaged", "PDF"),
        ("a.docx", b"not a zip", "document_damaged", "Word"),
        ("a.html", b"<html><script>x</script></html>", "document_without_text", "no text"),
        ("a.pdf", pdf_bytes(""), "document_without_text", "no text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(name: str, content: bytes, code: str, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(name, content)
    assert caught.value.code == code
    assert caught.value.message.startswith(f"{name}: ")
    assert text in caught.value.message


def test_a_small_file_that_unpacks_to_hundreds_of_megabytes_is_refused_unopened() -> None:
    with pytest.raises(ApiError) as caught:
        read("a.docx", zip_bomb())
    assert caught.value.code == "document_too_large"


def test_markup_is_read_however_deep_it_is_nested() -> None:
    (section,) = read("a.html", b"<div>" * 50_000 + b"x")
    assert section.text == "x"


def test_html_whose_paragraphs_are_not_closed_is_read() -> None:
    (section,) = read("a.html", b"<p>one" * 3000)
    assert section.text == "\n".join(["one"] * 3000)


@given(st.binary(max_size=400), st.sampled_from(["a.md", "a.txt", "a.html", "a.pdf", "a.docx"]))
def test_no_bytes_end_in_anything_but_sections_or_a_refusal(content: bytes, name: str) -> None:
    try:
        sections = read(name, content)
    except ApiError as error:
        assert error.status in (400, 415)
    else:
        assert all(section.text.strip() for section in sections)
