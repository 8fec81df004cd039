"""Bytes to text, for the encodings in which Korean and Western documents are found."""

import codecs

from charset_normalizer import from_bytes

from chatbot.language import is_hangul
from chatbot.retrieval.reading.section import UnreadableError

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HANGUL_SHARE = 0.6
CONTROL_SHARE = 0.02


def decode(content: bytes) -> str:
    """The text.

    UTF-8 first (it is hard to mistake), then CP949, which covers EUC-KR, when the outcome is mostly Hangul, then the
    detector's guess: on a few Korean words a detector alone goes wrong.

    Raises:
        UnreadableError: `document_binary` or `document_undecodable`.
    """
    encoding = next((name for bom, name in BOMS if content.startswith(bom)), None)
    if encoding is None and _is_binary(content):
        raise UnreadableError("it is binary, not text.", "document_binary")
    for candidate in [encoding] if encoding else ["utf-8", "cp949"]:
        try:
            text = content.decode(candidate)
        except UnicodeDecodeError:
            continue
        if candidate != "cp949" or _is_korean(text):
            return text
    guess = None if encoding else from_bytes(content).best()
    if guess is None:
        raise UnreadableError("its character encoding is not known; save it as UTF-8.", "document_undecodable")
    return str(guess)


def has_bom(content: bytes) -> bool:
    """Whether the first bytes say the encoding."""
    return content.startswith(tuple(bom for bom, _ in BOMS))


def _is_binary(content: bytes) -> bool:
    controls = sum(content.count(bytes([code])) for code in (*range(9), *range(14, 27), *range(28, 32), 127))
    return b"\0" in content or controls > len(content) * CONTROL_SHARE


def _is_korean(text: str) -> bool:
    """Mostly syllables of everyday Korean: Western letters read as CP949 give rare ones, outside of EUC-KR's table."""
    foreign = [character for character in text if ord(character) > 127]
    common = [character for character in foreign if is_hangul(character) and len(character.encode("euc-kr")) == 2]
    return len(common) >= len(foreign) * HANGUL_SHARE
