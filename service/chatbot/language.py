"""Which of the two languages a text is written in."""

from typing import Literal

Language = Literal["ko", "en"]


def is_hangul(character: str) -> bool:
    """Whether `character` is a Hangul syllable or letter."""
    return "가" <= character <= "힣" or "ㄱ" <= character <= "ㆎ" or "\u1100" <= character <= "\u11ff"


def language_of(text: str) -> Language:
    """`ko` when at least a fifth of the letters are Hangul: Korean questions often carry English names."""
    letters = [character for character in text if character.isalpha()]
    return "ko" if letters and sum(map(is_hangul, letters)) >= len(letters) / 5 else "en"
