"""The messages of a request."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from chatbot.api.chat.images import MAX_IMAGES, ImagePart
from chatbot.api.chat.strict import Strict
from chatbot.api.chat.tools import MadeCall, twice
from chatbot.engine.protocol import Message

ECHOED: dict[str, tuple[Any, ...]] = {
    "refusal": (None,),
    "audio": (None,),
    "function_call": (None,),
    "annotations": (None, []),
    "tool_calls": (None, []),
    "parsed": (None,),
}
"""What clients send back with an answer that they got, without a meaning."""


class TextPart(Strict):
    """A piece of a message's text."""

    type: Literal["text"]
    text: str


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class ChatMessage(Strict):
    """One message of the request."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: Annotated[list[MadeCall], Field(min_length=1, max_length=128)] | None = None
    tool_call_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _echoed(cls, message: Any) -> Any:
        if not isinstance(message, dict) or message.get("role") != "assistant":
            return message
        return {name: value for name, value in message.items() if name not in ECHOED or value not in ECHOED[name]}

    @field_validator("content", mode="before")
    @classmethod
    def _only_known_parts(cls, content: Any) -> Any:
        for part in content if isinstance(content, list) else []:
            kind = part.get("type") if isinstance(part, dict) else None
            if kind not in ("text", "image_url"):
                raise ValueError(f"a part of type {str(kind)[:40]!r} is not supported: send `text` and `image_url`")
        return content

    @model_validator(mode="after")
    def _fields_of_the_role(self) -> "ChatMessage":
        if self.tool_calls and self.role != "assistant":
            raise ValueError("tool_calls: only a message of the role `assistant` has them")
        if (self.tool_call_id is not None) != (self.role == "tool"):
            raise ValueError("tool_call_id: a message of the role `tool` has one, and no other")
        if self.images and self.role != "user":
            raise ValueError("content: only a message of the role `user` has images")
        if len(self.images) > MAX_IMAGES:
            raise ValueError(f"content: {len(self.images)} images, and a message may have {MAX_IMAGES}")
        if self.content is None and not self.tool_calls:
            raise ValueError("content: is missing")
        if repeated := twice([call.id for call in self.tool_calls or ()]):
            raise ValueError(f"tool_calls: the id {repeated[0]} is there more than once")
        return self

    @property
    def images(self) -> tuple[str, ...]:
        """Its images, as `data:` URLs."""
        parts = self.content if isinstance(self.content, list) else []
        return tuple(part.image_url.url for part in parts if isinstance(part, ImagePart))

    def as_message(self) -> Message:
        """The message for an engine."""
        parts = self.content if isinstance(self.content, list) else []
        texts = [part.text for part in parts if isinstance(part, TextPart)]
        return Message(
            "system" if self.role == "developer" else self.role,
            self.content if isinstance(self.content, str) else "".join(texts),
            tuple(call.as_call() for call in self.tool_calls or ()),
            self.tool_call_id,
            self.images,
        )


def check_results(messages: Sequence[ChatMessage]) -> None:
    """Every call has one result, right after it, and every result a call.

    Raises:
        ValueError: the first message where it is not so.
    """
    waiting: list[str] = []
    for number, message in enumerate(messages):
        if message.tool_call_id is not None:
            if message.tool_call_id not in waiting:
                raise ValueError(f"messages.{number}.tool_call_id: no call before it waits for this result")
            waiting.remove(message.tool_call_id)
            continue
        if waiting:
            break
        waiting = [call.id for call in message.tool_calls or ()]
    if waiting:
        raise ValueError(f"messages: the call {waiting[0]} has no result, a message of the role `tool` after it")
