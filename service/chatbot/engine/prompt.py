"""From messages to the token ids that a model reads."""

from collections.abc import Sequence
from typing import Any

from jinja2.exceptions import TemplateError

from chatbot.engine.protocol import Message

PLAIN_TURN = "\nUser:"


def encode(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of `messages`, with the opening of the assistant's turn at the end.

    `tokenizer` is a transformers tokenizer (its classes have no common typed interface). Its chat template is used if
    it has one, else lines such as `User: ...`, for base models. Some templates refuse a system message: it then goes
    to the head of the first user message.
    """
    safe = [Message(message.role, defuse(message.content, tokenizer.all_special_tokens)) for message in messages]
    if not tokenizer.chat_template:
        ids: list[int] = tokenizer(plain(safe))["input_ids"]
        return ids
    try:
        return _apply(tokenizer, safe)
    except TemplateError:
        return _apply(tokenizer, fold_system(safe))


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
    return [Message(rest[0].role, "\n\n".join([*system, rest[0].content])), *rest[1:]]


def _apply(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    text = tokenizer.apply_chat_template(
        [{"role": message.role, "content": message.content} for message in messages],
        tokenize=False,
        add_generation_prompt=True,
    )
    # The template has written the special tokens already.
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
