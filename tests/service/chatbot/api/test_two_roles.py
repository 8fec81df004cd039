"""The api over the engine, both behind real HTTP: what the two pods do."""

import asyncio
import base64
import struct

import httpx
import pytest

from chatbot.engine.protocol import EngineUnavailableError
from chatbot.engine.quotation import QuotationEngine
from chatbot.engine.upstream import UpstreamEngine
from chatbot.settings import Settings
from tests.service.chatbot.api.conftest import Serve
from tests.service.chatbot.api.events import question, stream, text_of
from tests.service.chatbot.api.roles import engine_role
from tests.service.chatbot.scripted import ScriptedEngine
from tests.service.chatbot.servers import free_port

CHAT = "/v1/chat/completions"


async def test_an_answer_crosses_both_roles(serve: Serve, settings: Settings) -> None:
    engine = ScriptedEngine()
    async with engine_role(engine, settings) as url, serve(UpstreamEngine(url, "engine-key", 20)) as client:
        fields = {"stop": ["x"], "seed": 3, "temperature": 0.5, "top_p": 0.9, "top_k": 5, "max_tokens": 7}
        chunks = await stream(client, question(stream_options={"include_usage": True}, **fields))
        assert text_of(chunks) == "Hello there."
        assert chunks[0]["model"] == "scripted"
        assert chunks[-1]["usage"]["total_tokens"] == 10
        request = engine.requests[-1]
        assert (request.stop, request.seed, request.temperature) == (("x",), 3, 0.5)
        assert (request.top_p, request.top_k, request.max_tokens) == (0.9, 5, 7)
        (model,) = (await client.get("/v1/models")).json()["data"]
        assert (model["id"], model["engine"], model["max_model_len"]) == ("scripted", "transformers", 100)


async def test_quotation_gets_its_passages_across(serve: Serve, settings: Settings, quotation: QuotationEngine) -> None:
    async with engine_role(quotation, settings) as url, serve(UpstreamEngine(url, "engine-key", 20)) as client:
        text = b"# Leave\n" + b"Annual leave is fifteen days. " * 300
        made = await client.post("/api/documents", files={"file": ("handbook.md", text)})
        assert made.json()["passages"] > 8
        answer = (await client.post(CHAT, json=question("How many days of annual leave?"))).json()
        assert "Annual leave is fifteen days." in answer["choices"][0]["message"]["content"]
        assert "[1]" in answer["choices"][0]["message"]["content"]
        assert (await client.get("/api/me")).json()["model"] == {
            "id": "quotation",
            "engine": "quotation",
            "images": False,
        }


async def test_a_refusal_of_the_engine_comes_through(serve: Serve, settings: Settings) -> None:
    engine = ScriptedEngine()
    engine.fits = lambda request: False
    async with engine_role(engine, settings) as url, serve(UpstreamEngine(url, "engine-key", 20)) as client:
        answer = await client.post(CHAT, json=question())
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "context_length_exceeded"
        assert "at most 99 tokens fit" in answer.json()["error"]["message"]


async def test_requests_wait_while_the_engine_starts(serve: Serve, settings: Settings) -> None:
    port = free_port()
    async with serve(UpstreamEngine(f"http://127.0.0.1:{port}/v1", "engine-key", 20)) as client:
        waiting = asyncio.ensure_future(client.post(CHAT, json=question()))
        await asyncio.sleep(1)
        assert not waiting.done()
        assert (await client.get("/readyz")).status_code == 200
        async with engine_role(ScriptedEngine(), settings, port):
            assert (await waiting).json()["choices"][0]["message"]["content"] == "Hello there."


async def test_they_do_not_wait_for_ever(serve: Serve) -> None:
    async with serve(UpstreamEngine(f"http://127.0.0.1:{free_port()}/v1", "engine-key", 1)) as client:
        answer = await client.post(CHAT, json=question(stream=True))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert answer.json()["error"]["code"] == "engine_unavailable"


async def test_an_engine_that_ends_in_the_middle_is_told_in_the_stream(serve: Serve, settings: Settings) -> None:
    engine = ScriptedEngine()
    engine.break_after = 2
    async with engine_role(engine, settings) as url, serve(UpstreamEngine(url, "engine-key", 1)) as client:
        chunks = await stream(client, question())
        assert text_of(chunks) == "Hello there"
        assert chunks[-1]["error"]["code"] == "engine_unavailable"


async def test_leaving_the_api_stops_the_engine(serve: Serve, settings: Settings) -> None:
    engine = ScriptedEngine(["word "] * 200, pause_seconds=0.05)
    async with engine_role(engine, settings) as url, serve(UpstreamEngine(url, "engine-key", 20)) as client:
        await engine.leave(client.post(CHAT, json=question(stream=True)))
        assert engine.written < 100


async def test_a_wrong_engine_key_is_told_with_the_fix(settings: Settings) -> None:
    async with engine_role(ScriptedEngine(), settings) as url:
        engine = UpstreamEngine(url, "wrong-key-canary", 0.1)
        with pytest.raises(EngineUnavailableError, match="CHATBOT_ENGINE_KEY_FILE") as caught:
            await engine.describe()
        assert "canary" not in caught.value.message
        await engine.close()


async def test_the_engines_embeddings_in_both_encodings(settings: Settings, quotation: QuotationEngine) -> None:
    headers = {"Authorization": "Bearer engine-key"}
    async with engine_role(quotation, settings) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        body = {"input": ["annual leave", "holiday"], "model": "any"}
        plain = (await client.post("/embeddings", json=body)).json()
        packed = (await client.post("/embeddings", json={**body, "encoding_format": "base64"})).json()
        for one, other in zip(plain["data"], packed["data"], strict=True):
            decoded = struct.unpack("<384f", base64.b64decode(other["embedding"]))
            assert decoded == pytest.approx(one["embedding"], abs=1e-6)
            assert sum(value * value for value in decoded) == pytest.approx(1, abs=1e-4)
        assert plain["usage"]["prompt_tokens"] == 7
        for wrong in ({"input": []}, {"input": [1, 2]}, {"input": ""}, {"input": "x", "dimensions": 5}):
            assert (await client.post("/embeddings", json=wrong)).status_code == 400
