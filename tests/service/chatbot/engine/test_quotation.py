"""Answers without a model."""

import pytest

from chatbot.engine.protocol import GenerationRequest, Message, Passage
from chatbot.engine.quotation import PHRASES, QUOTE_CHARACTERS, QuotationEngine, best_window, pieces

PASSAGES = (
    Passage(
        1, "handbook.md, Leave", "Annual leave is fifteen days. Half days can be taken. " + "Filler sentence. " * 60
    ),
    Passage(2, "규정.md", "연차 휴가는 15일입니다."),
)


async def answer(engine: QuotationEngine, question: str, passages: tuple[Passage, ...]) -> str:
    request = GenerationRequest(messages=(Message("user", question),), passages=passages)
    return "".join([delta.text async for delta in engine.stream(request)])


async def test_quotes_each_passage_with_its_number_and_says_that_there_is_no_model(quotation: QuotationEngine) -> None:
    text = await answer(quotation, "How many days of annual leave?", PASSAGES)
    assert "Annual leave is fifteen days." in text
    assert "[1]" in text
    assert "[2]" in text
    assert PHRASES["en"].no_model in text


async def test_answers_in_korean_when_asked_in_korean(quotation: QuotationEngine) -> None:
    text = await answer(quotation, "연차 휴가는 며칠인가요?", PASSAGES[1:])
    assert text.startswith(PHRASES["ko"].found)
    assert PHRASES["ko"].no_model in text


@pytest.mark.parametrize(
    "question, language", [("What is the meaning of this?", "en"), ("이것은 무슨 뜻인가요?", "ko")]
)
async def test_says_when_nothing_was_found(quotation: QuotationEngine, question: str, language: str) -> None:
    text = await answer(quotation, question, ())
    assert PHRASES[language].nothing in text  # type: ignore[index]  # one of the two languages
    assert "[1]" not in text


async def test_streams_in_pieces_and_keeps_to_max_tokens(quotation: QuotationEngine) -> None:
    request = GenerationRequest(messages=(Message("user", "Leave?"),), passages=PASSAGES, max_tokens=5)
    deltas = [delta async for delta in quotation.stream(request)]
    assert len(deltas) > 3
    assert deltas[-1].finish_reason == "length"
    assert deltas[-1].usage is not None
    assert deltas[-1].usage.completion_tokens == 5


def test_a_window_stays_around_the_closest_sentence_and_within_its_size() -> None:
    sentences = [f"Sentence number {index} has some words in it." for index in range(40)]
    closeness = [1.0 if index == 20 else 0.1 for index in range(40)]
    window = best_window(sentences, closeness)
    assert sentences[20] in window
    assert len(window) <= QUOTE_CHARACTERS + 4
    assert window.startswith("…")
    assert window.endswith("…")


def test_pieces_joined_are_the_text() -> None:
    text = "가나다 abc " * 50
    assert "".join(pieces(text)) == text
