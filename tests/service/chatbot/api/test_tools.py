"""Tools, as agents use them through OpenAI's client: the api alone, and the api over the engine."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessage
from prometheus_client import generate_latest

from chatbot.engine.metered import MeteredEngine
from chatbot.engine.protocol import Delta, Engine, GenerationRequest, Message, Tool, ToolCall
from chatbot.engine.quotation import QuotationEngine
from chatbot.engine.upstream import UpstreamEngine
from chatbot.settings import Settings
from chatbot.telemetry import Metrics
from tests.service.chatbot.api.conftest import API_KEY, Serve
from tests.service.chatbot.api.events import question
from tests.service.chatbot.api.roles import WAYS, engine_role, reached
from tests.service.chatbot.scripted import ScriptedEngine

CHAT = "/v1/chat/completions"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"type": "function", "function": {"name": "weather", "description": "Of today.", "parameters": SCHEMA}}
WEATHER_IN = {"서울": "맑음, 21도", "Busan": "rain"}


class WeatherModel(ScriptedEngine):
    """Asks for the weather of two cities, and says what it was told."""

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        results = [turn.content for turn in request.messages if turn.role == "tool"]
        asked = [
            ToolCall(f"call_{number}", "weather", json.dumps({"city": city}, ensure_ascii=False))
            for number, city in enumerate(WEATHER_IN)
        ]
        self.words = ["It says: ", " / ".join(results)] if results else ["Let me ", "look.", *asked]
        async for delta in super().stream(request):
            yield delta


@pytest.fixture
def model() -> WeatherModel:
    return WeatherModel()


@pytest.fixture(params=WAYS)
async def client(
    request: pytest.FixtureRequest, serve: Serve, settings: Settings, model: WeatherModel
) -> AsyncIterator[httpx.AsyncClient]:
    async with reached(request.param, model, serve, settings) as client:
        yield client


@pytest.fixture
async def api(client: httpx.AsyncClient) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{client.base_url}/v1", api_key=API_KEY, max_retries=0) as api:
        yield api


def called(message: ChatCompletionMessage) -> list[dict[str, Any]]:
    """The results of the calls, as messages."""
    results = []
    for call in message.tool_calls or ():
        assert call.type == "function"
        assert call.function.name == "weather"
        city = json.loads(call.function.arguments)["city"]
        results.append({"role": "tool", "tool_call_id": call.id, "content": WEATHER_IN[city]})
    return results


async def test_half_an_emoji_reaches_nobody(client: httpx.AsyncClient, model: WeatherModel) -> None:
    half, mended = "cut \ud83d", "cut \ufffd"
    function = {"name": "weather", "arguments": json.dumps({"city": half})}
    exchange = [
        {"role": "user", "content": [{"type": "text", "text": half}]},
        {"role": "assistant", "content": half, "tool_calls": [{"id": "a", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "a", "content": half},
    ]
    tool = {"type": "function", "function": {"name": "weather", "parameters": {**SCHEMA, "title": half}}}
    body = {"messages": exchange, "tools": [tool], "stop": [half]}
    # ASCII throughout: the half is an escape, as any client writes it.
    answer = await client.post(CHAT, content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.json()["choices"][0]["message"]["content"] == f"It says: {mended}"
    asked = model.requests[-1]
    assert [turn.content for turn in asked.messages if turn.role != "system"] == [mended] * 3
    assert json.loads(asked.messages[-2].tool_calls[0].arguments) == {"city": mended}
    assert (asked.tools[0].parameters or {})["title"] == mended
    deep = '{"messages": [{"role": "user", "content": "x"}], "tools": ' + "[" * 900 + "]" * 900 + "}"
    answer = await client.post(CHAT, content=deep, headers={"content-type": "application/json"})
    assert answer.status_code == 400


async def test_an_agents_loop(api: openai.AsyncOpenAI, model: WeatherModel) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather?"}]
    first = await api.chat.completions.create(model="any", messages=messages, tools=[WEATHER])
    assert first.choices[0].finish_reason == "tool_calls"
    message = first.choices[0].message
    assert message.content == "Let me look."
    assert [tool.name for tool in model.requests[-1].tools] == ["weather"]
    assert model.requests[-1].tools[0].description == "Of today."
    assert model.requests[-1].tools[0].parameters == SCHEMA
    assert model.requests[-1].parallel_tool_calls
    # The client's own object goes back as it came.
    messages += [message, *called(message)]
    last = await api.chat.completions.create(
        model="any",
        messages=messages,
        tools=[WEATHER],
        parallel_tool_calls=False,
    )
    assert last.choices[0].message.content == "It says: 맑음, 21도 / rain"
    assert last.choices[0].message.tool_calls is None
    assert last.choices[0].finish_reason == "stop"
    _, asked, *results = model.requests[-1].messages
    assert asked.tool_calls == (
        ToolCall("call_0", "weather", '{"city": "서울"}'),
        ToolCall("call_1", "weather", '{"city": "Busan"}'),
    )
    assert [(turn.tool_call_id, turn.content) for turn in results] == [("call_0", "맑음, 21도"), ("call_1", "rain")]
    assert not model.requests[-1].parallel_tool_calls


async def test_an_agents_loop_over_streams(api: openai.AsyncOpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather?"}]
    async with api.chat.completions.stream(model="any", messages=messages, tools=[WEATHER]) as stream:
        chunks = [event.chunk async for event in stream if event.type == "chunk"]
        first = (await stream.get_final_completion()).choices[0]
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    assert "".join(texts) == "Let me look."
    assert len(texts) == 2
    assert first.finish_reason == "tool_calls"
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert [(call.index, call.id, call.type) for call in calls] == [
        (0, "call_0", "function"),
        (1, "call_1", "function"),
    ]
    messages += [first.message, *called(first.message)]
    async with api.chat.completions.stream(model="any", messages=messages, tools=[WEATHER]) as stream:
        last = (await stream.get_final_completion()).choices[0]
    assert (last.message.content, last.finish_reason) == ("It says: 맑음, 21도 / rain", "stop")


@pytest.mark.parametrize("words", [(ToolCall("call_a", "weather", "{}"),), ()])
async def test_content_is_null_only_beside_calls(serve: Serve, words: tuple[ToolCall, ...]) -> None:
    async with serve(ScriptedEngine(words)) as client:
        message = (await client.post(CHAT, json=question(tools=[WEATHER]))).json()["choices"][0]["message"]
    assert message == {"role": "assistant", "refusal": None} | (
        {"content": None, "tool_calls": [CALL]} if words else {"content": ""}
    )


def example() -> str:
    """The program in docs/agents.md."""
    lines = (Path(__file__).parents[4] / "docs" / "agents.md").read_text().splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith("    ") or not line)


async def test_the_example_of_the_docs_runs(client: httpx.AsyncClient) -> None:
    environment = {**os.environ, "OPENAI_BASE_URL": f"{client.base_url}/v1", "OPENAI_API_KEY": API_KEY}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", example(), stdout=asyncio.subprocess.PIPE, env=environment
    )
    written, _ = await process.communicate()
    assert (process.returncode, written.decode()) == (0, "It says: 서울: rain / Busan: rain\n")


async def test_a_model_says_that_it_knows_tools(client: httpx.AsyncClient) -> None:
    (listed,) = (await client.get("/v1/models")).json()["data"]
    assert listed["tools"] is True


async def test_documents_go_with_tools_unless_they_are_not_wanted(
    client: httpx.AsyncClient, model: WeatherModel
) -> None:
    await client.post("/api/documents", files={"file": ("handbook.md", b"Leave is fifteen days.")})
    body = question("How many days of leave?", tools=[WEATHER])
    answer = (await client.post(CHAT, json=body)).json()
    assert len(answer["citations"]) == 1
    assert "fifteen days" in model.requests[-1].messages[0].content
    message = answer["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": f"call_{number}", "content": "dry"} for number in (0, 1)]
    # The question is still the user's, not the last message.
    body["messages"] += [message, *results]
    assert len((await client.post(CHAT, json=body)).json()["citations"]) == 1
    assert (await client.post(CHAT, json={**body, "retrieval": False})).json()["citations"] == []
    assert model.requests[-1].messages[0].role == "user"


async def test_no_call_when_none_is_wanted(client: httpx.AsyncClient, model: WeatherModel) -> None:
    await client.post(CHAT, json=question(tools=[WEATHER], tool_choice="none"))
    assert model.requests[-1].tools == ()


async def test_what_belongs_to_the_question_is_never_cut(client: httpx.AsyncClient, model: WeatherModel) -> None:
    model.fits = lambda request: len(request.messages) <= 3
    exchange = [
        {"role": "user", "content": "Now?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_a", "content": "dry"},
    ]
    past = [{"role": "user", "content": "Before?"}, {"role": "assistant", "content": "Yes."}]
    assert (await client.post(CHAT, json={"messages": [*past, *exchange]})).status_code == 200
    assert [turn.role for turn in model.requests[-1].messages] == ["user", "assistant", "tool"]
    model.fits = lambda request: len(request.messages) <= 2
    refused = await client.post(CHAT, json={"messages": [*past, *exchange]})
    assert refused.json()["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize("roles", [1, 2])
@pytest.mark.parametrize("field", ["tools", "messages"])
async def test_without_a_model_tools_are_refused_by_name(
    serve: Serve, settings: Settings, quotation: QuotationEngine, field: str, roles: int
) -> None:
    body = question(tools=[WEATHER]) if field == "tools" else {"messages": EXCHANGE}
    async with AsyncExitStack() as stack:
        engine: Engine = quotation
        if roles == 2:
            url = await stack.enter_async_context(engine_role(quotation, settings))
            engine = UpstreamEngine(url, "engine-key", 20)
        client = await stack.enter_async_context(serve(engine))
        answer = await client.post(CHAT, json=body)
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["code"], error["param"]) == ("tools_unsupported", "tools")
        assert "no language model is loaded" in error["message"]
        assert (await client.get("/v1/models")).json()["data"][0]["tools"] is False


CALL = {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_a", "content": "dry"}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
USER = {"role": "user", "content": "Weather?"}
EXCHANGE = [USER, ASKED, RESULT]


def function(**fields: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {**WEATHER["function"], **fields}}]}


def nested(levels: int) -> dict[str, Any]:
    """A schema that is as deep as that."""
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels - 2):
        schema = {"type": "object", "items": schema}
    return schema


def calling(**fields: Any) -> dict[str, Any]:
    return {"messages": [USER, {**ASKED, "tool_calls": [{**CALL, **fields}]}, RESULT]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tools": [{"type": "function"}]}, "tools.0.function: Field required"),
        ({"tools": [{"type": "retrieval", "function": {"name": "f"}}]}, "tools.0.type"),
        ({"tools": [WEATHER, WEATHER]}, "tools: the function weather is there more than once"),
        ({"tools": [{**WEATHER, "cache": True}]}, "tools.0.cache"),
        (function(name="a b"), "tools.0.function.name"),
        (function(parameters={"type": "string"}), "tools.0.function.parameters: must be a JSON schema"),
        (function(parameters=nested(65)), "tools.0.function.parameters: is nested deeper than 64 levels"),
        (function(parameters=[]), "tools.0.function.parameters"),
        (function(strict=True), "tools.0.function.strict: arguments are not held"),
        ({"tools": [WEATHER], "tool_choice": "required"}, "tool_choice: a call cannot be forced here"),
        ({"tool_choice": {"type": "function", "function": {"name": "weather"}}}, "tool_choice: a call cannot be"),
        ({"tools": [WEATHER], "parallel_tool_calls": "some"}, "parallel_tool_calls"),
        ({"functions": []}, "functions"),
        ({"tools": [WEATHER], "conversation_id": "conv_0123456789abcdef"}, "conversation_id: calls of tools are not"),
        ({"messages": EXCHANGE, "conversation_id": "conv_0123456789abcdef"}, "conversation_id: calls of tools are"),
        ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages.1: tool_call_id"),
        ({"messages": [USER, RESULT]}, "messages.1.tool_call_id: no call"),
        ({"messages": [*EXCHANGE, RESULT]}, "messages.3.tool_call_id: no call"),
        ({"messages": [USER, ASKED]}, "messages: the call call_a has no result"),
        ({"messages": [USER, ASKED, USER, RESULT]}, "messages: the call call_a has no result"),
        ({"messages": [{**USER, "tool_call_id": "call_a"}]}, "messages.0: tool_call_id"),
        ({"messages": [{**USER, "tool_calls": [CALL]}]}, "messages.0: tool_calls"),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, "messages.1: content: is missing"),
        ({"messages": [{"role": "user"}]}, "messages.0: content: is missing"),
        ({"messages": [USER, {**ASKED, "refusal": "No."}, RESULT]}, "messages.1.refusal"),
        ({"messages": [USER, {**ASKED, "tool_calls": [CALL, CALL]}]}, "messages.1: tool_calls: the id call_a"),
        (calling(id=""), "messages.1.tool_calls.0.id"),
        (calling(type="custom"), "messages.1.tool_calls.0.type"),
        (calling(function={"name": "weather", "arguments": "{"}), "tool_calls.0.function.arguments: must be a JSON"),
        (calling(function={"name": "weather", "arguments": "[]"}), "tool_calls.0.function.arguments: must be a JSON"),
        (calling(function={"name": "weather", "arguments": json.dumps(nested(65))}), "at most 64 levels"),
        (calling(function={"name": "weather", "arguments": "{" * 9000}), "function.arguments: must be a JSON"),
        (calling(function={"name": "weather", "arguments": {}}), "messages.1.tool_calls.0.function.arguments"),
    ],
)
async def test_what_is_wrong_is_refused_by_name(serve: Serve, fields: dict[str, Any], message: str) -> None:
    engine = ScriptedEngine()
    async with serve(engine) as client:
        answer = await client.post(CHAT, json={**question(), **fields})
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
    assert not engine.requests


async def test_what_is_just_deep_enough_crosses_both_roles(client: httpx.AsyncClient, model: WeatherModel) -> None:
    schema = nested(64)
    made = {**CALL, "function": {"name": "weather", "arguments": json.dumps(schema)}}
    messages = [USER, {**ASKED, "tool_calls": [made]}, RESULT]
    assert (await client.post(CHAT, json={"messages": messages, **function(parameters=schema)})).status_code == 200
    assert model.requests[-1].tools[0].parameters == schema


async def test_a_call_counts_as_what_the_model_wrote() -> None:
    metrics = Metrics()
    engine = MeteredEngine(ScriptedEngine((ToolCall("call_a", "weather", "{}"),)), metrics, "scripted")
    request = GenerationRequest(messages=(Message("user", "Weather?"),), tools=(Tool("weather"),))
    assert [delta.is_output for delta in [delta async for delta in engine.stream(request)]] == [False, True, False]
    text = generate_latest(metrics.registry).decode()
    assert 'vllm:time_to_first_token_seconds_count{model_name="scripted"} 1.0' in text
    assert 'finished_reason="tool_calls"' in text
