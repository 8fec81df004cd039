"""OpenAI's chat request, as far as it is supported, and our extensions.

A field that would change the answer and is not supported is refused by name; one that would not is accepted and
ignored.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from chatbot.engine.protocol import GenerationRequest, Message, Passage

CONVERSATION_ID = r"^conv_[0-9a-f]{16}$"

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "repetition_penalty": (1,),
    "min_p": (0,),
    "min_tokens": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
}
"""Fields that are accepted only with the value that changes nothing."""

IGNORED = frozenset(
    ("user", "metadata", "store", "service_tier", "prompt_cache_key", "safety_identifier", "prompt_cache_retention")
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TextPart(_Strict):
    """A part of a message; images and audio are refused, because no model here takes them."""

    type: Literal["text"]
    text: str


class ChatMessage(_Strict):
    """One message of the request."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _only_text(cls, content: Any) -> Any:
        for part in content if isinstance(content, list) else []:
            kind = part.get("type") if isinstance(part, dict) else None
            if kind != "text":
                raise ValueError(f"a part of type {str(kind)[:40]!r} is not supported: this model reads text only")
        return content

    def as_message(self) -> Message:
        """The message for an engine."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Message("system" if self.role == "developer" else self.role, text)


class StreamOptions(_Strict):
    """What a stream carries besides text."""

    include_usage: bool = False
    include_obfuscation: bool = False


class ChatRequest(_Strict):
    """What both roles understand."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=1)
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    seed: int | None = None
    ignore_eos: bool = False

    @model_validator(mode="before")
    @classmethod
    def _unsupported(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        for name, accepted in NEUTRAL.items():
            if body.get(name) is not None and body[name] not in accepted:
                raise ValueError(f"{name}: this value is not supported here")
        return {name: value for name, value in body.items() if name not in NEUTRAL and name not in IGNORED}

    @model_validator(mode="after")
    def _something_to_answer(self) -> "ChatRequest":
        if not any(message.role == "user" for message in self.messages):
            raise ValueError("messages: there is no message of the role `user` to answer")
        return self

    @property
    def wants_usage(self) -> bool:
        """Whether the stream ends with a chunk of token counts."""
        return self.stream_options is not None and self.stream_options.include_usage

    def generation(self) -> GenerationRequest:
        """What an engine is asked to write."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return GenerationRequest(
            messages=tuple(message.as_message() for message in self.messages),
            max_tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            stop=tuple(stop),
            seed=self.seed,
            ignore_eos=self.ignore_eos,
        )


class AssistantRequest(ChatRequest):
    """The request to the api, with our extensions."""

    conversation_id: str | None = Field(None, pattern=CONVERSATION_ID)
    """The conversation that the turn belongs to: its messages are the context, and the turn is added to it."""
    retrieval: bool = True
    """Whether to look into the documents."""


class GivenPassage(_Strict):
    """A passage that comes with the request."""

    index: int
    title: str
    text: str


class EngineRequest(ChatRequest):
    """The request to the engine, with our extension."""

    passages: list[GivenPassage] = []
    """What quotation quotes; a language model finds its passages in the messages."""

    def generation(self) -> GenerationRequest:
        """See `ChatRequest.generation`."""
        passages = tuple(Passage(item.index, item.title, item.text) for item in self.passages)
        return replace(super().generation(), passages=passages)
