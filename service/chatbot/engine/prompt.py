"""From messages to the token ids that a model reads."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jinja2.exceptions import TemplateError

from chatbot.engine import wire
from chatbot.engine.protocol import Message, MessagesUnsupportedError, Tool, ToolsUnsupportedError
from chatbot.engine.thoughts import CLOSE as THOUGHTS_END
from chatbot.engine.thoughts import without_thoughts
from chatbot.engine.tool_calls import CLOSE, OPEN

PLAIN_TURN = "\nUser:"
TOOL_MARKERS = (OPEN, CLOSE, "<tool_response>", "</tool_response>")
"""What frames calls and their results. Qwen3 does not count them as special tokens."""


def encode(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> list[int]:
    """Token ids of `messages`, with the opening of the assistant's turn at the end.

    `tokenizer` is a transformers tokenizer (its classes have no common typed interface). Its chat template is used if
    it has one, else lines such as `User: ...`, for base models.
    """
    if not tokenizer.chat_template:
        safe = [replace(turn, content=defuse(turn.content, control_tokens(tokenizer))) for turn in messages]
        return _ids(tokenizer(plain(safe)))
    # The template has written the special tokens already.
    return _ids(tokenizer(text(tokenizer, messages, tools), add_special_tokens=False))


def text(tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] = (), markers: Sequence[str] = ()) -> str:
    """The whole prompt, by the chat template.

    Some templates refuse a system message: it then goes to the head of the first user message. Some demand that user
    and assistant take turns: what one of them said in a row then becomes one message. Tools and calls need a template
    that knows them; see `tool_form`. With `markers`, those of images, the contents are lists of parts.

    Raises:
        ToolsUnsupportedError: the template cannot write these tools.
        MessagesUnsupportedError: it refuses the messages.
    """
    try:
        try:
            return rendered(tokenizer, messages, tools, markers)
        except TemplateError:
            return rendered(tokenizer, in_turns(fold_system(messages)), tools, markers)
    except (TemplateError, TypeError) as error:
        if tools:
            raise ToolsUnsupportedError("this model's chat template cannot write these (their schemas?)") from error
        if isinstance(error, TypeError):
            raise
        raise MessagesUnsupportedError(f"this model's chat template refuses them: {error}") from error


def rendered(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] = (), markers: Sequence[str] = ()
) -> str:
    """`messages` and `tools` as the model's chat template writes them; nothing in them can pass for the template's."""
    special = [*control_tokens(tokenizer), *markers]
    if tools or any(message.tool_calls or message.role == "tool" for message in messages):
        special += TOOL_MARKERS
    if THOUGHTS_END in special:
        # Templates cut the reasoning off earlier answers themselves, but would not find the defused tag.
        messages = [
            replace(turn, content=without_thoughts(turn.content)) if turn.role == "assistant" else turn
            for turn in messages
        ]
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    written: str = tokenizer.apply_chat_template(
        [_defused(_turn(message, names, in_parts=bool(markers)), special) for message in messages],
        tools=[_defused(_function(tool), special) for tool in tools] or None,
        tokenize=False,
        add_generation_prompt=True,
        # Read by the templates of models that can think or not (Qwen3): the reasoning would be paid and not shown.
        enable_thinking=False,
    )
    return written


def control_tokens(tokenizer: Any) -> list[str]:
    """The tokens by which a model tells turns apart: what its files mark as special, and what its template writes.

    The first alone is more than `all_special_tokens`, which knows only those that have a role: not the headers of
    Llama 3's turns.
    """
    template = tokenizer.chat_template or ""
    added = tokenizer.added_tokens_decoder.values()
    return [token.content for token in added if token.special or (token.content in template and token.content.strip())]


def _ids(encoded: Any) -> list[int]:
    ids: list[int] = encoded["input_ids"]
    return ids


def defuse(text: str, special: Sequence[str]) -> str:
    """`text` in which no special token of the model can be read any more.

    A document or a user could otherwise write an end-of-turn token and then speak as the system: tokenizers know no
    difference between the template's tokens and those in the text. A zero-width space after the first character keeps
    the text readable.
    """
    for token in special:
        if len(token) > 1:
            text = text.replace(token, f"{token[0]}\u200b{token[1:]}")
    return text


def plain(messages: Sequence[Message]) -> str:
    """The fallback for a tokenizer without a chat template."""
    names = {"system": "System", "user": "User", "assistant": "Assistant"}
    return "".join(f"{names[message.role]}: {message.content}\n" for message in messages) + "Assistant:"


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """The same conversation with the system messages at the head of the first user message."""
    system = [message.content for message in messages if message.role == "system"]
    rest = [message for message in messages if message.role != "system"]
    if not rest or not system:
        return rest or list(messages)
    return [replace(rest[0], content="\n\n".join([*system, rest[0].content])), *rest[1:]]


def in_turns(messages: Sequence[Message]) -> list[Message]:
    """The same conversation with neighbours of one role, user or assistant, in one message."""
    merged: list[Message] = []
    for message in messages:
        last = merged[-1] if merged else None
        if last is None or message.role != last.role or message.role == "tool" or message.tool_calls or last.tool_calls:
            merged.append(message)
        else:
            images = (*last.images, *message.images)
            merged[-1] = replace(last, content=f"{last.content}\n\n{message.content}".strip(), images=images)
    return merged


def _turn(message: Message, names: Mapping[str, str], *, in_parts: bool) -> dict[str, Any]:
    """A message as chat templates read it: arguments are objects there, not text, and a result names its function.

    `names`: the function of each call's id. `in_parts`: templates of models that see know contents as lists, in which
    an image has its place, and comes beside the text.
    """
    turn = wire.message(replace(message, images=()))
    if in_parts:
        texts = [{"type": "text", "text": message.content}] if message.content else []
        turn["content"] = [*({"type": "image"} for _ in message.images), *texts]
    for call in turn.get("tool_calls", ()):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    if message.tool_call_id is not None:
        turn["name"] = names.get(message.tool_call_id, "")
    return turn


def _function(tool: Tool) -> dict[str, Any]:
    """A tool with all that a template may ask of it."""
    parameters = tool.parameters or {"type": "object", "properties": {}}
    return wire.tool(replace(tool, description=tool.description or "", parameters=parameters))


def _defused(value: Any, special: Sequence[str]) -> Any:
    """`value` with every text in it, keys included, defused."""
    if isinstance(value, str):
        return defuse(value, special)
    if isinstance(value, list):
        return [_defused(item, special) for item in value]
    if isinstance(value, dict):
        return {defuse(key, special): _defused(item, special) for key, item in value.items()}
    return value
