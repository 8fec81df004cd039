"""The api before a server that is not ours: it does not say whether it knows tools, and streams calls in fragments."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.middleware.base import RequestResponseEndpoint

from chatbot.api.chat.service import NOTICES
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


def vllm(asked: list[dict[str, Any]], fitting_messages: int) -> FastAPI:
    """As vLLM with a model for text: no embeddings, and a code of its own for what is too long."""
    app = other_server(asked)
    message = "This model's maximum context length is 4096 tokens. However, your prompt has 5000 tokens."

    @app.middleware("http")
    async def refuse(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if request.url.path == CHAT and len((await request.json())["messages"]) > fitting_messages:
            error = {"message": message, "type": "BadRequestError", "param": None, "code": 400}
            return JSONResponse({"error": error}, 400)
        return await call_next(request)

    return app


async def test_it_needs_no_embeddings_and_may_say_in_its_own_words_what_is_too_long(serve: Serve) -> None:
    asked: list[dict[str, Any]] = []
    async with (
        serving(vllm(asked, 3)) as url,
        serve(UpstreamEngine(f"{url}/v1", "key", 20)) as client,
    ):
        identifier = (await client.post("/api/conversations")).json()["id"]
        for number in range(3):
            body = question(f"Question {number}?", conversation_id=identifier)
            answer = await client.post(CHAT, json=body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["notices"] == [NOTICES["en"]["documents"]]
        kept = [turn["content"] for turn in asked[-1]["messages"]]
    assert kept == ["Question 1?", "Well.", "Question 2?"]
    async with (
        serving(vllm(asked, 0)) as url,
        serve(UpstreamEngine(f"{url}/v1", "key", 20)) as client,
    ):
        refused = await client.post(CHAT, json=question())
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "context_length_exceeded")


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
