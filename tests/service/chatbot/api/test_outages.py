"""Chats while Redis or Chroma is away, with the real servers killed and started again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from chatbot.api.chat.service import NOTICES
from chatbot.history.redis import RedisHistory
from chatbot.redis_client import connect
from chatbot.retrieval import chroma_connection
from chatbot.retrieval.chroma import ChromaDocuments
from tests.service.chatbot.api.conftest import Serve
from tests.service.chatbot.api.events import question, stream, text_of
from tests.service.chatbot.scripted import ScriptedEngine
from tests.service.chatbot.servers import REDIS_PASSWORD, Server

CHAT = "/v1/chat/completions"


@pytest.fixture
async def client(serve: Serve, redis: Server, chroma: Server, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    path = tmp_path / "redis-password"
    path.write_text(REDIS_PASSWORD)
    history = RedisHistory(connect(f"redis://127.0.0.1:{redis.port}/0", path))
    documents = ChromaDocuments(chroma_connection.server(f"http://127.0.0.1:{chroma.port}"))
    async with serve(ScriptedEngine(), history, documents) as client:
        yield client


async def contents(client: httpx.AsyncClient, conversation: str) -> list[str]:
    """Messages of a conversation, once the store can be asked again."""
    async with asyncio.timeout(20):
        while True:
            response = await client.get(f"/api/conversations/{conversation}")
            if response.status_code == 200:
                return [message["content"] for message in response.json()["messages"]]
            await asyncio.sleep(0.1)


async def test_without_redis_the_chat_goes_on_and_is_saved_later(client: httpx.AsyncClient, redis: Server) -> None:
    conversation = (await client.post("/api/conversations")).json()["id"]
    await client.post(CHAT, json=question("Before?", conversation_id=conversation))
    redis.kill()
    chunks = await stream(client, question("During?", conversation_id=conversation))
    assert text_of(chunks) == "Hello there."
    assert chunks[0]["notices"] == [NOTICES["en"]["history"]]
    korean = await client.post(CHAT, json=question("지금은 어떤가요?", conversation_id=conversation))
    assert korean.json()["notices"] == [NOTICES["ko"]["history"]]
    assert (await client.get("/api/me")).json()["services"]["history"] == "unavailable"
    assert (await client.get("/readyz")).status_code == 200
    listing = await client.get("/api/conversations")
    assert (listing.status_code, listing.headers["retry-after"]) == (503, "5")
    assert listing.json()["error"]["code"] == "history_unavailable"
    started = (await client.post("/api/conversations")).json()["id"]
    assert (await client.post(CHAT, json=question("New?", conversation_id=started))).status_code == 200
    redis.start()
    asked = ["Before?", "During?", "지금은 어떤가요?"]
    expected = [text for each in asked for text in (each, "Hello there.")]
    async with asyncio.timeout(20):
        while await contents(client, conversation) != expected:
            await asyncio.sleep(0.1)
    assert await contents(client, started) == ["New?", "Hello there."]
    async with asyncio.timeout(20):  # on a busy machine, an answer or two still comes with the notice
        while (await client.post(CHAT, json=question("After?", conversation_id=conversation))).json()["notices"]:
            await asyncio.sleep(0.1)
    assert (await client.get("/api/me")).json()["services"]["history"] == "ok"


async def test_with_redis_full_the_chat_goes_on_and_is_saved_later(client: httpx.AsyncClient, redis: Server) -> None:
    server = Redis(port=redis.port, password=REDIS_PASSWORD)
    conversation = (await client.post("/api/conversations")).json()["id"]
    server.config_set("maxmemory", 1)
    started = (await client.post("/api/conversations")).json()["id"]
    for asked in (conversation, started):
        answer = await client.post(CHAT, json=question(conversation_id=asked))
        assert answer.json()["notices"] == [NOTICES["en"]["history"]]
    server.config_set("maxmemory", 0)
    for asked in (conversation, started):
        async with asyncio.timeout(20):
            while await contents(client, asked) != ["Hello?", "Hello there."]:
                await asyncio.sleep(0.1)


async def test_redis_that_goes_in_the_middle_of_an_answer_is_told_at_its_end(
    client: httpx.AsyncClient, redis: Server
) -> None:
    conversation = (await client.post("/api/conversations")).json()["id"]
    body = question(conversation_id=conversation, stream=True)
    lines = []
    async with client.stream("POST", CHAT, json=body) as response:
        async for line in response.aiter_lines():
            if not lines:
                redis.kill()
            lines.append(line)
    whole = "\n".join(lines)
    assert whole.rstrip().endswith("data: [DONE]")
    # The stream may have been written before the kill; the answer is not lost either way.
    redis.start()
    async with asyncio.timeout(20):
        while await contents(client, conversation) != ["Hello?", "Hello there."]:
            await asyncio.sleep(0.1)


async def test_without_chroma_the_chat_goes_on_without_documents(client: httpx.AsyncClient, chroma: Server) -> None:
    await client.post("/api/documents", files={"file": ("handbook.md", b"Leave is fifteen days.")})
    body = question("How many days of leave?")
    assert len((await client.post(CHAT, json=body)).json()["citations"]) == 1
    chroma.kill()
    answer = (await client.post(CHAT, json=body)).json()
    assert (answer["citations"], answer["notices"]) == ([], [NOTICES["en"]["documents"]])
    assert answer["choices"][0]["message"]["content"] == "Hello there."
    assert (await client.get("/api/me")).json()["services"]["documents"] == "unavailable"
    listing = await client.get("/api/documents")
    assert (listing.status_code, listing.json()["error"]["code"]) == (503, "documents_unavailable")
    chroma.start()
    answer = (await client.post(CHAT, json=body)).json()
    assert (len(answer["citations"]), answer["notices"]) == (1, [])
