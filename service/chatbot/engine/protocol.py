"""What the rest of the service knows of an engine."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from chatbot.errors import ApiError

EngineKind = Literal["transformers", "quotation", "upstream"]
FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True)
class Tool:
    """A function that the client can call for the model."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    """JSON schema of its arguments."""


@dataclass(frozen=True)
class ToolCall:
    """The model's wish that the client calls a function."""

    id: str
    name: str
    arguments: str
    """A JSON object, as text."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation as a model sees it."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """What an assistant asked for."""
    tool_call_id: str | None = None
    """The call whose result a message of the role `tool` is."""
    images: tuple[str, ...] = ()
    """`data:` URLs; a model sees them before the text, wherever among the parts they stood."""


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
    tools: tuple[Tool, ...] = ()
    """What the model may call in this answer."""
    parallel_tool_calls: bool = True
    """Whether one answer may have several calls."""

    @property
    def is_agentic(self) -> bool:
        """Whether only a model that knows tools understands it."""
        return bool(self.tools) or any(turn.tool_calls or turn.role == "tool" for turn in self.messages)

    @property
    def has_images(self) -> bool:
        """Whether only a model that sees understands it."""
        return any(turn.images for turn in self.messages)


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
    tool_call: ToolCall | None = None

    @property
    def is_output(self) -> bool:
        """Whether it carries something that the model wrote."""
        return bool(self.text) or self.tool_call is not None


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
    tools: bool | None = None
    """Whether it can call tools; None: another server, which does not say."""
    images: bool | None = None
    """Whether it sees images; None as above."""


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


class MessagesUnsupportedError(ApiError):
    """The model cannot read a conversation of this order or these roles."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, f"messages: {reason}", code="messages_unsupported", param="messages")


class ToolsUnsupportedError(ApiError):
    """The engine cannot call tools."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            400,
            f"tools: {reason}. Send no `tools` and no messages with tool calls, or load a model that can "
            "(`GET /v1/models` says `tools: true`).",
            code="tools_unsupported",
            param="tools",
        )


class ImagesUnsupportedError(ApiError):
    """The engine reads text only."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            400,
            f"images: {reason}. Send text, or load a model that sees (`GET /v1/models` says `images: true`).",
            code="images_unsupported",
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

    def kv_cache_usage(self) -> float | None:
        """Share of the model's context whose keys and values are held for the answer in work, 0 to 1.

        None: nothing of the kind is held in this process.
        """
        ...

    def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        """The answer; closing the generator stops the work.

        Raises:
            ContextLengthExceededError, MessagesUnsupportedError, ToolsUnsupportedError, ImagesUnsupportedError:
                before the first delta.
            ApiError: an image that cannot be read (400, `image_invalid`), before the first delta.
            EngineUnavailableError: before the first delta, or in the middle.
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
