"""Which of the passages found are worth showing, and in what order.

The embedding model at hand is small and English: it sees little in dense technical text and finds all Korean texts
alike. So the question's words count as well, each by how rare it is among the passages found. Korean words are compared
by pairs of characters, because particles and endings are glued to them; others by their stem.
"""

import math
import re
from collections.abc import Iterable, Sequence

from chatbot.language import is_hangul, language_of
from chatbot.retrieval.protocol import StoredPassage
from chatbot.retrieval.words import content_words, stem

CLOSE_MEANING = 0.3
"""Cosine similarity from which an English passage counts whatever its words are."""
LEAST_MEANING = 0.15
ENOUGH_COVERAGE = 0.6
ENOUGH_KOREAN_COVERAGE = 0.45
MAX_SEARCH_WORDS = 12
WORD = re.compile(r"\w+")


def best(question: str, found: Iterable[StoredPassage], limit: int) -> list[tuple[float, StoredPassage]]:
    """The most relevant passages, each once, with their score from 0 to 1; none that is below the threshold."""
    passages = list({(passage.document_id, passage.location, passage.text): passage for passage in found}.values())
    wanted = content_words(question)
    present = [[share(word, text) for word in wanted] for text in (_vocabulary(passage.text) for passage in passages)]
    weights = [rarity(sum(column), len(passages)) for column in zip(*present, strict=True)]
    total = sum(weights)
    is_korean = language_of(question) == "ko"
    scored = []
    for passage, shares in zip(passages, present, strict=True):
        covered = sum(weight * part for weight, part in zip(weights, shares, strict=True)) / total if total else 0.0
        score = korean_relevance(covered) if is_korean else relevance(passage.similarity, covered)
        if score > 0:
            scored.append((score, passage))
    return sorted(scored, key=lambda item: -item[0])[:limit]


def relevance(meaning: float, covered: float) -> float:
    """Score of a passage for a question in English, 0 for one that is not worth showing.

    `meaning` is the cosine similarity, `covered` the weighted share of the question's words in the passage.
    """
    is_relevant = meaning >= CLOSE_MEANING or (meaning >= LEAST_MEANING and covered >= ENOUGH_COVERAGE)
    return min(1.0, 0.6 * meaning + 0.4 * covered) if is_relevant else 0.0


def korean_relevance(covered: float) -> float:
    """Score for a question in Korean: only the words can be trusted."""
    return covered if covered >= ENOUGH_KOREAN_COVERAGE else 0.0


def rarity(holders: float, passages: int) -> float:
    """Weight of a word that `holders` of `passages` contain; a word that none has weighs most."""
    return math.log(1 + (passages + 1) / (holders + 0.5))


def share(word: str, vocabulary: frozenset[str]) -> float:
    """How much of `word` is in a text's `vocabulary`, 0 to 1."""
    if any(map(is_hangul, word)):
        pairs = _pairs(word)
        return len(pairs & vocabulary) / len(pairs)
    return float(word in vocabulary)


def search_words(question: str) -> Sequence[str]:
    """What to look for as written in the passages: rare words are long; as they are typed, and as a sentence begins."""
    longest = sorted(content_words(question), key=len, reverse=True)[: MAX_SEARCH_WORDS // 2]
    typed = {stem(word.lower()): word for word in WORD.findall(question)}
    return list(dict.fromkeys(form for word in longest for form in _forms(word, typed.get(word, word))))


def _forms(word: str, typed: str) -> Sequence[str]:
    if any(map(is_hangul, word)):
        return [word]
    return [word, typed if typed[:1].isupper() else word.capitalize()]


def _vocabulary(text: str) -> frozenset[str]:
    words = WORD.findall(text.lower())
    korean = [pair for word in words if any(map(is_hangul, word)) for pair in _pairs(word)]
    return frozenset([*map(stem, words), *korean])


def _pairs(word: str) -> frozenset[str]:
    return frozenset(word[position : position + 2] for position in range(len(word) - 1))
