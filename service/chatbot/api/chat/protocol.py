"""OpenAI's chat request, as far as it is supported, and our extensions.

A field that would change the answer and is not supported is refused by name; one that would not is accepted and
ignored.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from chatbot.api.chat.messages import ChatMessage, check_results
from chatbot.api.chat.strict import Strict, without_halves
from chatbot.api.chat.tools import OfferedTools
from chatbot.engine.protocol import GenerationRequest, Passage

MAX_TEXT_CHARACTERS = 1024 * 1024
"""Of all messages; images come on top, within the limit of the request."""
CONVERSATION_ID = r"^conv_[0-9a-f]{16}$"
TURN_ID = r"^[0-9a-f]{16}$"

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
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
}
"""Fields that are accepted only with the value that changes nothing."""

IGNORED = frozenset(
    ("user", "metadata", "store", "service_tier", "prompt_cache_key", "safety_identifier", "prompt_cache_retention")
)


class StreamOptions(Strict):
    """What a stream carries besides text."""

    include_usage: bool = False
    include_obfuscation: bool = False


class ChatRequest(Strict):
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
    tools: OfferedTools | None = None
    tool_choice: Literal["auto", "none"] | None = None
    parallel_tool_calls: bool | None = None

    @field_validator("tool_choice", mode="before")
    @classmethod
    def _is_free_to_choose(cls, choice: Any) -> Any:
        if choice not in (None, "auto", "none"):
            raise ValueError(
                "a call cannot be forced here: send `auto`, offer only the tools that may be called, and ask for the "
                "call in a message"
            )
        return choice

    @model_validator(mode="before")
    @classmethod
    def _unsupported(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        for name, accepted in NEUTRAL.items():
            if body.get(name) is not None and body[name] not in accepted:
                raise ValueError(f"{name}: this value is not supported here")
        known = {name: value for name, value in body.items() if name not in NEUTRAL and name not in IGNORED}
        return without_halves(known)

    @model_validator(mode="after")
    def _something_to_answer(self) -> "ChatRequest":
        if not any(message.role == "user" for message in self.messages):
            raise ValueError("messages: there is no message of the role `user` to answer")
        check_results(self.messages)
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
            tools=() if self.tool_choice == "none" else tuple(tool.as_tool() for tool in self.tools or ()),
            parallel_tool_calls=self.parallel_tool_calls is not False,
        )


class AssistantRequest(ChatRequest):
    """The request to the api, with our extensions."""

    conversation_id: str | None = Field(None, pattern=CONVERSATION_ID)
    """The conversation that the turn belongs to: its messages are the context, and the turn is added to it."""
    replaces: str | None = Field(None, pattern=TURN_ID)
    """The `question_id` of a question in the conversation: this one takes its place, and all after it is forgotten."""
    retrieval: bool = True
    """Whether to look into the documents."""

    @model_validator(mode="after")
    def _text_is_bounded(self) -> "AssistantRequest":
        if sum(len(message.as_message().content) for message in self.messages) > MAX_TEXT_CHARACTERS:
            raise ValueError(f"messages: their text is longer than {MAX_TEXT_CHARACTERS} characters")
        return self

    @model_validator(mode="after")
    def _agents_remember_themselves(self) -> "AssistantRequest":
        if self.conversation_id and (self.tools or any(message.tool_calls for message in self.messages)):
            raise ValueError(
                "conversation_id: calls of tools are not kept in conversations: leave it out, and send all messages "
                "each time"
            )
        return self


class GivenPassage(Strict):
    """A passage that comes with the request."""

    index: int
    title: str
    text: str


class EngineRequest(ChatRequest):
    """The request to the engine, with our extension."""

    passages: list[GivenPassage] = Field(default_factory=list)
    """What quotation quotes; a language model finds its passages in the messages."""

    def generation(self) -> GenerationRequest:
        """See `ChatRequest.generation`."""
        passages = tuple(Passage(item.index, item.title, item.text) for item in self.passages)
        return replace(super().generation(), passages=passages)
