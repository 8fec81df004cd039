"""The api before a server that is not ours: it does not say whether it knows tools, and streams calls in fragments."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from chatbot.engine.upstream import UpstreamEngine
from tests.service.chatbot.api.conftest import Serve
from tests.service.chatbot.api.events import question
from tests.service.chatbot.servers import serving

CHAT = "/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "weather"}}
FRAGMENTS: list[dict[str, Any]] = [
    {"content": "Well."},
    {"tool_calls": [{"index": 0, "id": "one", "type": "function", "function": {"name": "weather", "arguments": ""}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '"Busan"}'}}]},
    {"tool_calls": [{"index": 1, "id": "two", "type": "function", "function": {"name": "now", "arguments": "{}"}}]},
]


def other_server(asked: list[dict[str, Any]]) -> FastAPI:
    """Answers with `FRAGMENTS`, and notes what it was asked."""
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "other", "object": "model", "created": 0, "owned_by": "others"}]}

    @app.post(CHAT)
    async def chat(request: Request) -> StreamingResponse:
        asked.append(await request.json())

        async def events() -> AsyncIterator[str]:
            choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in FRAGMENTS]
            for choice in [*choices, {"index": 0, "delta": {}, "finish_reason": "tool_calls"}]:
                head = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "other"}
                yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


async def test_its_calls_are_put_together(serve: Serve) -> None:
    asked: list[dict[str, Any]] = []
    async with (
        serving(other_server(asked)) as url,
        serve(UpstreamEngine(f"{url}/v1", "key", 20)) as client,
    ):
        offering = question(tools=[TOOL], parallel_tool_calls=False, retrieval=False)
        answer = (await client.post(CHAT, json=offering)).json()["choices"][0]
        plain = await client.post(CHAT, json=question(retrieval=False))
        (model,) = (await client.get("/v1/models")).json()["data"]
    assert answer["finish_reason"] == "tool_calls"
    assert answer["message"] == {
        "role": "assistant",
        "content": "Well.",
        "refusal": None,
        "tool_calls": [
            {"id": "one", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Busan"}'}},
            {"id": "two", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        ],
    }
    assert (asked[0]["tools"], asked[0]["parallel_tool_calls"]) == ([TOOL], False)
    assert plain.status_code == 200
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(asked[1])
    assert model["tools"] is None
