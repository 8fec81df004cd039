"""What the rest of the service knows of an engine."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from chatbot.errors import ApiError

EngineKind = Literal["transformers", "quotation", "upstream"]
FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation as a model sees it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Passage:
    """A retrieved piece of a document, numbered from 1 as the answer cites it."""

    index: int
    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """What to write and how; a field that is None is left to the model's own generation settings."""

    messages: tuple[Message, ...]
    passages: tuple[Passage, ...] = ()
    """What quotation quotes; a language model finds them in its messages instead."""
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    ignore_eos: bool = False
    """Write on to `max_tokens`: for measurements."""


@dataclass(frozen=True)
class Usage:
    """Tokens read and written."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Delta:
    """A piece of an answer. The first one is empty: the request is accepted. The last one has a finish reason."""

    text: str = ""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None


@dataclass(frozen=True)
class Embeddings:
    """One vector for each text (rows of equal length, unit norm) and the tokens they took."""

    vectors: list[list[float]]
    tokens: int


@dataclass(frozen=True)
class ModelInfo:
    """The model as `/v1/models` shows it."""

    id: str
    engine: EngineKind
    context_tokens: int | None


class ContextLengthExceededError(ApiError):
    """The messages do not fit the model's context."""

    def __init__(self, prompt_tokens: int, context_tokens: int) -> None:
        super().__init__(
            400,
            f"The messages are {prompt_tokens} tokens long; at most {context_tokens - 1} tokens fit this model's "
            f"context of {context_tokens} tokens, one of which is for the answer. Shorten them.",
            code="context_length_exceeded",
            param="messages",
        )


class EngineUnavailableError(ApiError):
    """The engine cannot be reached, or cannot work; asking again later may help."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, f"The model is unavailable: {reason}", code="engine_unavailable", retry_after_seconds=10)


class Engine(Protocol):
    """One model for text and one for vectors."""

    parallel: int | None
    """How many answers are written at the same time; None: no bound of its own."""

    def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        """The answer; closing the generator stops the work.

        Raises:
            ContextLengthExceededError, EngineUnavailableError: before the first delta, or in the middle.
        """
        ...

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """One unit vector for each text.

        Raises:
            EngineUnavailableError: see there.
        """
        ...

    async def describe(self) -> ModelInfo:
        """The model behind this engine (EngineUnavailableError if that cannot be known now)."""
        ...

    async def check(self) -> None:
        """Return if requests can be served now, else raise EngineUnavailableError."""
        ...

    async def close(self) -> None:
        """Stop the work and free what is held."""
        ...
