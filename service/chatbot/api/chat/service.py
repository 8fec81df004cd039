"""The two ways to answer: the engine's, plain, and the api's, with documents and history."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import dropwhile, pairwise
from typing import Literal

import structlog

from chatbot.api.chat.answer import Answer
from chatbot.api.chat.protocol import AssistantRequest, EngineRequest
from chatbot.api.chat.streaming import accepted, in_background
from chatbot.engine.protocol import (
    ContextLengthExceededError,
    Delta,
    Engine,
    EngineUnavailableError,
    GenerationRequest,
    Message,
)
from chatbot.errors import ApiError, StoreUnavailableError, not_found
from chatbot.history.pending import PendingHistory
from chatbot.history.protocol import Status, Turn, joined
from chatbot.language import Language, language_of
from chatbot.retrieval.citations import Citation, framed
from chatbot.retrieval.search import Search
from chatbot.telemetry import Metrics

MAX_IMAGE_CHARACTERS = 16 * 1024 * 1024
"""Of all images that go to the engine with a conversation: what one question may have, and below its limit."""
LEFT_OUT = "[An image that was here is not shown again.]"

NOTICES: dict[Language, dict[str, str]] = {
    "en": {
        "documents": "The documents are unavailable right now: this answer does not rest on them.",
        "history": "The chat history is unavailable right now: earlier messages may be missing from the context. "
        "This turn is kept and will be saved when the history is back.",
    },
    "ko": {
        "documents": "지금 문서를 사용할 수 없어서 이 답변은 문서를 근거로 하지 않습니다.",
        "history": "지금 대화 기록을 사용할 수 없어서 이전 메시지가 반영되지 않았을 수 있습니다. "
        "이번 대화는 보관했다가 복구되면 저장합니다.",
    },
}

log = structlog.get_logger()


async def plain_answer(engine: Engine, request: EngineRequest) -> Answer:
    """Just the engine's answer.

    Raises:
        ApiError: the engine refuses the request or is unavailable.
    """
    deltas = await accepted(engine.stream(request.generation()))
    return Answer((await engine.describe()).id, deltas)


@dataclass
class _Notices:
    """What the reader must know, each store once; the list is the answer's own."""

    language: Language
    metrics: Metrics
    texts: list[str] = field(default_factory=list)

    def add(self, store: Literal["documents", "history"]) -> None:
        text = NOTICES[self.language][store]
        if text not in self.texts:
            self.texts.append(text)
            self.metrics.notices.labels(store).inc()


class Assistant:
    """Answers from the documents and remembers the conversation, of one owner."""

    def __init__(self, engine: Engine, search: Search, history: PendingHistory, metrics: Metrics, owner: str) -> None:
        self._owner = owner
        self._engine = engine
        self._search = search
        self._history = history
        self._metrics = metrics

    async def answer(self, request: AssistantRequest) -> Answer:
        """The answer, once the engine accepted to write it.

        Raises:
            ApiError: no such conversation (404), a question longer than the context (400), no engine (503).
        """
        started = time.perf_counter()
        try:
            answer = await self._begun(request)
        except ApiError as error:
            if error.status >= 500:
                self._metrics.answers.labels("failed").inc()
            raise
        return replace(answer, deltas=await accepted(self._measured(answer.deltas, started)))

    async def _begun(self, request: AssistantRequest) -> Answer:
        generation = request.generation()
        question = next(turn for turn in reversed(generation.messages) if turn.role == "user")
        notices = _Notices(language_of(question.content), self._metrics)
        asked = Turn(role="user", content=question.content, images=question.images, replaces=request.replaces or "")
        if request.conversation_id:
            system = [turn for turn in generation.messages if turn.role == "system"]
            past = answered(await self._remembered(request.conversation_id, asked, notices))[:-1]
            sees = (await self._engine.describe()).images is not False
            room = MAX_IMAGE_CHARACTERS - sum(map(len, question.images))
            past = with_newest_images(past, room if sees else 0)
            generation = replace(generation, messages=(*system, *past, question))
        looks = request.retrieval and question.content.strip()
        citations = await self._citations(question.content, notices) if looks else []
        deltas, citations = await self._fitted(generation, citations)
        cited = [citation.as_json() for citation in citations]
        if request.conversation_id:
            await self._history.append(self._owner, request.conversation_id, asked)
            deltas = self._recorded(deltas, request.conversation_id, citations, notices)
            if self._history.is_behind:
                notices.add("history")
        question_id = asked.id if request.conversation_id else None
        return Answer((await self._engine.describe()).id, deltas, cited, notices.texts, question_id)

    async def _remembered(self, conversation_id: str, asked: Turn, notices: _Notices) -> Sequence[Message]:
        """The conversation up to and with the question."""
        try:
            if await self._history.get(self._owner, conversation_id) is None:
                raise not_found("conversation", conversation_id)
            turns = await self._history.turns(self._owner, conversation_id)
        except StoreUnavailableError:
            notices.add("history")
            turns = self._history.pending_turns(self._owner, conversation_id)
        return [Message(turn.role, turn.content, images=tuple(turn.images)) for turn in joined(turns, [asked])]

    async def _citations(self, question: str, notices: _Notices) -> list[Citation]:
        try:
            return await self._search.citations(question)
        except EngineUnavailableError:
            raise  # it writes the answer, too
        except ApiError as error:
            # The store is away, or the engine is a server that makes no vectors.
            log.warning("documents_unavailable", reason=error.message)
            notices.add("documents")
            return []

    async def _fitted(
        self, generation: GenerationRequest, citations: list[Citation]
    ) -> tuple[AsyncGenerator[Delta], list[Citation]]:
        """Offer the engine ever less until it fits: first older messages go, then the weakest passages.

        Only the engine can count its tokens; asking it is exact, for ours and for any other.
        """
        while True:
            request = replace(
                generation,
                messages=with_passages(generation.messages, citations),
                passages=tuple(citation.as_passage() for citation in citations),
            )
            try:
                return await accepted(self._engine.stream(request)), citations
            except ContextLengthExceededError:
                shorter = without_oldest(generation.messages)
                if shorter == generation.messages and not citations:
                    raise
                if shorter == generation.messages:
                    citations = citations[:-1]
                generation = replace(generation, messages=shorter)

    async def _measured(self, deltas: AsyncGenerator[Delta], started: float) -> AsyncGenerator[Delta]:
        """`deltas`, counted and timed."""
        outcome, has_output = "interrupted", False
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    if delta.is_output and not has_output:
                        has_output = True
                        self._metrics.first_text.observe(time.perf_counter() - started)
                    if delta.finish_reason:
                        outcome = "complete"
                    yield delta
        except Exception:
            outcome = "failed"
            raise
        finally:
            self._metrics.answers.labels(outcome).inc()

    async def _recorded(
        self, deltas: AsyncGenerator[Delta], conversation_id: str, citations: list[Citation], notices: _Notices
    ) -> AsyncGenerator[Delta]:
        """`deltas`; what was written is kept before the last one is passed on, and also when there is no last one."""
        text: list[str] = []
        is_saved = False

        async def save(status: Status) -> None:
            cited = tuple(citation.as_json() for citation in citations)
            turn = Turn(role="assistant", content="".join(text), citations=cited, status=status)
            await self._history.append(self._owner, conversation_id, turn)

        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    text.append(delta.text)
                    if delta.finish_reason:
                        is_saved = True
                        await asyncio.shield(in_background(save("complete")))
                        if self._history.is_behind:
                            notices.add("history")
                    yield delta
        finally:
            if not is_saved and any(text):
                in_background(save("interrupted"))


def answered(messages: Sequence[Message]) -> list[Message]:
    """Turns of user and assistant, as many models demand: without a question that another follows (nobody answered
    it), and without an answer at the head (its question waits in a store that is away)."""
    turns = [turn for turn, after in pairwise(messages) if not turn.role == after.role == "user"] + [*messages[-1:]]
    return list(dropwhile(lambda turn: turn.role != "user", turns))


def with_passages(messages: Sequence[Message], citations: Sequence[Citation]) -> tuple[Message, ...]:
    """The messages, with all system text and the passages in one at the head: many models take only one."""
    system = [message.content for message in messages if message.role == "system"]
    if citations:
        system.append(framed(citations).content)
    head = [Message("system", "\n\n".join(system))] if system else []
    return (*head, *(message for message in messages if message.role != "system"))


def with_newest_images(messages: Sequence[Message], characters: int) -> list[Message]:
    """The messages, with the newest images whose URLs are together no longer than `characters`.

    A message whose images are left out says so to the model, since the text may speak of them.
    """
    kept: list[Message] = []
    for message in reversed(messages):
        characters -= sum(map(len, message.images))
        is_kept = not message.images or characters >= 0
        kept.append(message if is_kept else replace(message, content=f"{LEFT_OUT}\n{message.content}", images=()))
    return kept[::-1]


def without_oldest(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without the older half of the turns before the question, beginning with a user's; the same when there is none.

    What follows the question, an agent's calls and their results, belongs to it.
    """
    system = tuple(message for message in messages if message.role == "system")
    turns = [message for message in messages if message.role != "system"]
    asked = max((place for place, message in enumerate(turns) if message.role == "user"), default=len(turns) - 1)
    past, question = turns[:asked], turns[asked:]
    kept = past[(len(past) + 1) // 2 :]
    while kept and kept[0].role != "user":
        kept = kept[1:]
    return messages if not past else (*system, *kept, *question)
