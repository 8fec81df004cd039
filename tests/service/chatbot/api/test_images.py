"""Images, as OpenAI's client and the page send them: the api alone, and the api over the engine."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest

from chatbot.api.chat.images import MAX_IMAGE_BYTES, MAX_IMAGES
from chatbot.api.chat.protocol import MAX_TEXT_CHARACTERS
from chatbot.api.chat.service import LEFT_OUT, with_newest_images
from chatbot.api.limits import MAX_CHAT_BYTES
from chatbot.engine.protocol import Message
from chatbot.engine.quotation import QuotationEngine
from chatbot.settings import Settings
from tests.service.chatbot.api.conftest import API_KEY, Serve
from tests.service.chatbot.api.events import question, stream, text_of
from tests.service.chatbot.api.roles import WAYS, reached
from tests.service.chatbot.images import image
from tests.service.chatbot.scripted import ScriptedEngine

CHAT = "/v1/chat/completions"
WHITE, BLACK = image("white"), image("black", kind="jpeg")


@pytest.fixture(params=WAYS)
async def client(
    request: pytest.FixtureRequest, serve: Serve, settings: Settings, scripted: ScriptedEngine
) -> AsyncIterator[httpx.AsyncClient]:
    async with reached(request.param, scripted, serve, settings) as client:
        yield client


def part(url: str, **fields: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **fields}}


def asking(*urls: str, text: str = "What is this?") -> list[dict[str, Any]]:
    words = [{"type": "text", "text": text}] if text else []
    return [{"role": "user", "content": [*words, *map(part, urls)]}]


async def test_images_reach_the_model(client: httpx.AsyncClient, scripted: ScriptedEngine) -> None:
    async with openai.AsyncOpenAI(base_url=f"{client.base_url}/v1", api_key=API_KEY, max_retries=0) as api:
        content: Any = [part(WHITE, detail="high"), {"type": "text", "text": "Which is "}, part(BLACK)]
        content.append({"type": "text", "text": "darker?"})
        answer = await api.chat.completions.create(model="any", messages=[{"role": "user", "content": content}])
        (model,) = (await api.models.list()).data
    assert answer.choices[0].message.content == "Hello there."
    assert (model.model_extra or {})["images"] is True
    (turn,) = scripted.requests[-1].messages
    assert turn == Message("user", "Which is darker?", images=(WHITE, BLACK))


async def test_an_image_alone(client: httpx.AsyncClient, scripted: ScriptedEngine) -> None:
    assert text_of(await stream(client, {"messages": asking(WHITE, text="")})) == "Hello there."
    assert scripted.requests[-1].messages[-1] == Message("user", "", images=(WHITE,))


async def test_a_conversation_keeps_them(client: httpx.AsyncClient, scripted: ScriptedEngine) -> None:
    made = (await client.post("/api/conversations")).json()["id"]
    for messages in (asking(WHITE), asking(text="And its colour?")):
        assert (await client.post(CHAT, json={"messages": messages, "conversation_id": made})).status_code == 200
    assert [turn.images for turn in scripted.requests[-1].messages] == [(WHITE,), (), ()]
    first, answer, second, _ = (await client.get(f"/api/conversations/{made}")).json()["messages"]
    assert (first["content"], first["images"], second["images"]) == ("What is this?", [WHITE], [])
    assert "images" not in answer


async def test_a_model_that_reads_only_takes_a_conversation_over(
    client: httpx.AsyncClient, scripted: ScriptedEngine
) -> None:
    made = (await client.post("/api/conversations")).json()["id"]
    await client.post(CHAT, json={"messages": asking(WHITE), "conversation_id": made})
    scripted.images = False
    # The api asks the engine again who it is.
    assert (await client.get("/api/me")).json()["model"]["images"] is False
    answer = await client.post(CHAT, json={**question("Still there?"), "conversation_id": made})
    assert answer.status_code == 200
    past, *_ = scripted.requests[-1].messages
    assert (past.images, past.content) == ((), f"{LEFT_OUT}\nWhat is this?")


async def test_a_model_that_reads_only_refuses_by_name(client: httpx.AsyncClient, scripted: ScriptedEngine) -> None:
    scripted.images = False
    made = (await client.post("/api/conversations")).json()["id"]
    answer = await client.post(CHAT, json={"messages": asking(WHITE), "conversation_id": made})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "images_unsupported", "messages")
    assert "scripted reads text only" in error["message"]
    assert "images: true" in error["message"]
    assert (await client.get(f"/api/conversations/{made}")).json()["messages"] == []


async def test_quotation_refuses_them(serve: Serve, quotation: QuotationEngine) -> None:
    async with serve(quotation) as client:
        assert (await client.get("/v1/models")).json()["data"][0]["images"] is False
        answer = await client.post(CHAT, json={"messages": asking(WHITE)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "images_unsupported")


def too_large() -> str:
    head, _, data = WHITE.partition(",")
    return f"{head},{base64.b64encode(base64.b64decode(data) + bytes(MAX_IMAGE_BYTES)).decode()}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.com/cat.png", "nothing is fetched from addresses"),
        ("http://169.254.169.254/latest/meta-data", "nothing is fetched from addresses"),
        ("file:///etc/passwd", "nothing is fetched from addresses"),
        (
            "data:image/svg+xml;base64,PHN2Zy8+",
            "image/svg+xml is not supported: send image/png, image/jpeg, image/webp",
        ),
        ("data:image/png;base64,%%%%", "not valid base64"),
        ("data:image/png;base64,aGVsbG8=", "the data is no image/png image"),
        (too_large(), "larger than 3 MiB"),
        ("", "must be a data: URL"),
    ],
)
async def test_what_is_no_image_is_refused_by_its_place(serve: Serve, url: str, said: str) -> None:
    async with serve(ScriptedEngine()) as client:
        answer = await client.post(CHAT, json={"messages": asking(WHITE, url)})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "invalid_request")
        assert said in error["message"]
        assert error["param"].startswith("messages.0.content")
        assert len(error["message"]) < 1000, "the image itself is not repeated"


async def test_how_many_and_whose(serve: Serve) -> None:
    async with serve(ScriptedEngine()) as client:
        answer = await client.post(CHAT, json={"messages": asking(*[WHITE] * (MAX_IMAGES + 1))})
        assert f"{MAX_IMAGES + 1} images, and a message may have {MAX_IMAGES}" in answer.json()["error"]["message"]
        system = {"role": "system", "content": [part(WHITE)]}
        answer = await client.post(CHAT, json={"messages": [system, *asking()]})
        assert "only a message of the role `user` has images" in answer.json()["error"]["message"]
        audio = {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}
        answer = await client.post(CHAT, json={"messages": [audio]})
        assert "'input_audio' is not supported" in answer.json()["error"]["message"]


async def test_text_and_requests_stay_bounded(serve: Serve) -> None:
    async with serve(ScriptedEngine()) as client:
        answer = await client.post(CHAT, json=question("x" * (MAX_TEXT_CHARACTERS + 1)))
        assert answer.status_code == 400
        assert "longer than 1048576 characters" in answer.json()["error"]["message"]
        answer = await client.post(CHAT, content=b"x" * (MAX_CHAT_BYTES + 1))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
        assert "a chat with its images 20 MiB" in answer.json()["error"]["message"]


def test_the_newest_images_stay_and_the_others_are_named() -> None:
    turns = [Message("user", f"{number}", images=("x" * 10,)) for number in range(3)]
    talk = [turns[0], Message("assistant", "a"), turns[1], turns[2]]
    assert with_newest_images(talk, 30) == talk
    older, answer, *rest = with_newest_images(talk, 25)
    assert (older.content, older.images) == (f"{LEFT_OUT}\n0", ())
    assert [answer, *rest] == talk[1:]
    assert all(not turn.images for turn in with_newest_images(talk, 0))
