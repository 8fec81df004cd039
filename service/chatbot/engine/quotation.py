"""The engine without a model: it quotes the passages that were found, and says that this is what it does."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from chatbot.engine.embedding import Embedder
from chatbot.engine.protocol import (
    Delta,
    Embeddings,
    GenerationRequest,
    ImagesUnsupportedError,
    ModelInfo,
    Passage,
    ToolsUnsupportedError,
    Usage,
)
from chatbot.language import Language, language_of

QUOTE_CHARACTERS = 420
PIECE_CHARACTERS = 24
PIECE_SECONDS = 0.01
SENTENCE_END = re.compile(r"(?<=[.!?。])\s+|\n+")


@dataclass(frozen=True)
class _Phrases:
    no_model: str
    found: str
    nothing: str


PHRASES: dict[Language, _Phrases] = {
    "en": _Phrases(
        no_model="No language model is loaded, so this is not a written answer, only quotations from your documents.",
        found="What the documents say:",
        nothing="Nothing in the documents matches the question. Add a document that covers it, or ask in its words.",
    ),
    "ko": _Phrases(
        no_model="언어 모델이 없어서 답을 직접 작성하지 못하고, 문서의 내용을 그대로 인용합니다.",
        found="문서에서 찾은 내용입니다.",
        nothing="질문과 관련된 내용을 문서에서 찾지 못했습니다. "
        "관련 문서를 올리거나 문서에 쓰인 표현으로 다시 질문해 주세요.",
    ),
}


class QuotationEngine:
    """Answers with the best sentences of each passage, marked `[1]`, `[2]`, ..."""

    parallel: int | None = None

    def __init__(self, embedder: Embedder, name: str) -> None:
        self._embedder = embedder
        self._info = ModelInfo(name, "quotation", None, tools=False, images=False)

    def kv_cache_usage(self) -> float | None:
        """None: see `Engine.kv_cache_usage`."""
        return None

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        """See `Engine.stream`; `max_tokens` counts words here."""
        if request.is_agentic:
            raise ToolsUnsupportedError("no language model is loaded, so nothing here can call them")
        if request.has_images:
            raise ImagesUnsupportedError("no language model is loaded, so nothing here can see them")
        yield Delta()
        question = next((turn.content for turn in reversed(request.messages) if turn.role == "user"), "")
        quotes = [(passage, await self._quote(question, passage)) for passage in request.passages]
        words = answer(language_of(question), quotes).split(" ")
        limit = len(words) if request.max_tokens is None else min(request.max_tokens, len(words))
        for piece in pieces(" ".join(words[:limit])):
            yield Delta(piece)
            # Paced so that a reader sees it come, as with a model, and a client's stop button has an effect.
            await asyncio.sleep(PIECE_SECONDS)
        read = sum(len(turn.content.split()) for turn in request.messages)
        yield Delta("", "stop" if limit == len(words) else "length", Usage(read, limit))

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `Engine.embed`."""
        return await self._embedder.embed(texts)

    async def describe(self) -> ModelInfo:
        """See `Engine.describe`."""
        return self._info

    async def check(self) -> None:
        """Always ready: there is nothing that could fail."""

    async def close(self) -> None:
        """End the embedding thread."""
        await asyncio.to_thread(self._embedder.close)

    async def _quote(self, question: str, passage: Passage) -> str:
        sentences = [part.strip() for part in SENTENCE_END.split(passage.text) if part.strip()]
        if sum(map(len, sentences)) <= QUOTE_CHARACTERS or not question:
            return " ".join(sentences)[:QUOTE_CHARACTERS]
        asked, *rows = (await self._embedder.embed([question, *sentences])).vectors
        closeness = [sum(a * b for a, b in zip(asked, row, strict=True)) for row in rows]
        return best_window(sentences, closeness)


def best_window(sentences: Sequence[str], closeness: Sequence[float]) -> str:
    """The sentence closest to the question, and its neighbours, the closer one first, as far as the room goes."""
    first = last = max(range(len(sentences)), key=closeness.__getitem__)
    room = QUOTE_CHARACTERS - len(sentences[first])
    while True:
        neighbours = [index for index in (first - 1, last + 1) if 0 <= index < len(sentences)]
        fitting = [index for index in neighbours if len(sentences[index]) < room]
        if not fitting:
            break
        chosen = max(fitting, key=closeness.__getitem__)
        room -= len(sentences[chosen]) + 1
        first, last = min(first, chosen), max(last, chosen)
    text = " ".join(sentences[first : last + 1])[:QUOTE_CHARACTERS]
    return f"{'… ' if first else ''}{text}{' …' if last < len(sentences) - 1 else ''}"


def answer(language: Language, quotes: Sequence[tuple[Passage, str]]) -> str:
    """The whole answer, in Markdown."""
    phrases = PHRASES[language]
    if not quotes:
        return f"{phrases.nothing}\n\n{phrases.no_model}"
    lines = [f"> {quote} [{passage.index}]\n>\n> — {passage.title}" for passage, quote in quotes]
    return "\n\n".join([phrases.found, *lines, phrases.no_model])


def pieces(text: str) -> list[str]:
    """`text` cut where a stream shows it; joined again they are `text`."""
    return [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]
