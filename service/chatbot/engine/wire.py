"""Messages, tools and calls in the form of OpenAI's API, which chat templates have taken over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatbot.engine.protocol import Message, Tool, ToolCall

if TYPE_CHECKING:  # the engine role does without the client
    from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall


def message(turn: Message) -> dict[str, Any]:
    """One entry of `messages`."""
    body: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.images:
        images: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in turn.images]
        body["content"] = images + ([{"type": "text", "text": turn.content}] if turn.content else [])
    if turn.tool_calls:
        body["tool_calls"] = [call(made) for made in turn.tool_calls]
    if turn.tool_call_id is not None:
        body["tool_call_id"] = turn.tool_call_id
    return body


def call(made: ToolCall) -> dict[str, Any]:
    """One entry of `tool_calls`."""
    return {"id": made.id, "type": "function", "function": {"name": made.name, "arguments": made.arguments}}


def tool(offered: Tool) -> dict[str, Any]:
    """One entry of `tools`."""
    given = {"description": offered.description, "parameters": offered.parameters}
    function = {"name": offered.name} | {name: value for name, value in given.items() if value is not None}
    return {"type": "function", "function": function}


@dataclass
class _Parts:
    id: str = ""
    name: str = ""
    arguments: str = ""


class GatheredCalls:
    """Puts calls together that come in fragments, as vLLM streams them."""

    def __init__(self) -> None:
        self._parts: dict[int, _Parts] = {}

    def add(self, fragments: Iterable["ChoiceDeltaToolCall"]) -> None:
        """Take what one chunk has of them."""
        for fragment in fragments:
            parts = self._parts.setdefault(fragment.index, _Parts())
            parts.id = fragment.id or parts.id
            if fragment.function:
                parts.name += fragment.function.name or ""
                parts.arguments += fragment.function.arguments or ""

    def whole(self) -> list[ToolCall]:
        """The calls, in order, when the answer has ended."""
        return [ToolCall(parts.id, parts.name, parts.arguments or "{}") for _, parts in sorted(self._parts.items())]
