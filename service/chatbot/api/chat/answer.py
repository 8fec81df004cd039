"""An answer on its way to the client, and how it is written in OpenAI's two forms."""

import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from chatbot.engine import wire
from chatbot.engine.protocol import Delta, Usage
from chatbot.errors import ApiError, unexpected

KEEP_ALIVE = ": keep-alive\n\n"
DONE = "data: [DONE]\n\n"


@dataclass(frozen=True)
class Answer:
    """An answer that the engine has accepted to write; `notices` may grow while `deltas` runs."""

    model: str
    deltas: AsyncGenerator[Delta]
    citations: list[dict[str, Any]] | None = None
    """None where there is no retrieval: the field is then left out."""
    notices: list[str] = field(default_factory=list)
    """What was not available for this answer, in the language of the question."""
    question_id: str | None = None
    """Under which the question is kept in its conversation; None: it is not, and the field is left out."""
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))


async def events(answer: Answer, deltas: AsyncGenerator[Delta | None], *, wants_usage: bool) -> AsyncGenerator[str]:
    """The answer as server-sent events.

    The first chunk has the role, the citations, the question's id and the notices so far; later notices come in a chunk
    without choices.
    None in `deltas` is a pause: a comment keeps proxies from closing the connection.
    """
    told = len(answer.notices)
    first = _chunk(answer, {"role": "assistant", "content": ""}, wants_usage=wants_usage)
    yield _event(first | {"notices": list(answer.notices)} | _extras(answer))
    usage: Usage | None = None
    calls = 0
    try:
        async with aclosing(deltas):
            async for delta in deltas:
                if delta is None:
                    yield KEEP_ALIVE
                    continue
                usage = delta.usage or usage
                if delta.text:
                    yield _event(_chunk(answer, {"content": delta.text}, wants_usage=wants_usage))
                if delta.tool_call:
                    called = {"index": calls, **wire.call(delta.tool_call)}
                    yield _event(_chunk(answer, {"tool_calls": [called]}, wants_usage=wants_usage))
                    calls += 1
                if delta.finish_reason:
                    yield _event(_chunk(answer, {}, delta.finish_reason, wants_usage=wants_usage))
        if wants_usage:
            yield _event(_head(answer) | {"choices": [], "usage": _usage(usage)})
        if answer.notices[told:]:
            yield _event(_head(answer) | {"choices": [], "notices": answer.notices[told:]})
    except ApiError as error:
        yield _event(error.body())
    except Exception as error:  # the status line is long gone: the stream itself must say it
        yield _event(unexpected(error).body())
    yield DONE


async def completion(answer: Answer) -> dict[str, Any]:
    """The answer as one object."""
    text: list[str] = []
    calls: list[dict[str, Any]] = []
    usage: Usage | None = None
    reason: str | None = None
    async with aclosing(answer.deltas):
        async for delta in answer.deltas:
            text.append(delta.text)
            calls += [wire.call(delta.tool_call)] if delta.tool_call else []
            usage, reason = delta.usage or usage, delta.finish_reason or reason
    # As OpenAI's: an answer of calls alone has no content, and one without calls does not have the field.
    content = "".join(text) or (None if calls else "")
    message = {"role": "assistant", "content": content, "refusal": None} | ({"tool_calls": calls} if calls else {})
    return {
        **_head(answer, "chat.completion"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": _usage(usage),
        "notices": answer.notices,
        **_extras(answer),
    }


def _extras(answer: Answer) -> dict[str, Any]:
    fields = {"citations": answer.citations, "question_id": answer.question_id}
    return {name: value for name, value in fields.items() if value is not None}


def _head(answer: Answer, kind: str = "chat.completion.chunk") -> dict[str, Any]:
    return {"id": answer.id, "object": kind, "created": answer.created, "model": answer.model}


def _chunk(
    answer: Answer, delta: dict[str, Any], finish_reason: str | None = None, *, wants_usage: bool
) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _head(answer) | {"choices": [choice]} | ({"usage": None} if wants_usage else {})


def _usage(usage: Usage | None) -> dict[str, int] | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n"
