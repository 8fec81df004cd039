"""How ``make documents`` sends a document: its own client, over a socket, to the real door."""

import asyncio

import httpx
import pytest

from chatbot.api.limits import MAX_DOCUMENT_BYTES
from ops.clients.chat import MOST_DOCUMENT_BYTES, ChatClient, ChatError
from tests.service.chatbot.api.conftest import API_KEY

BINARY = b"\0\1\2\3"


def test_both_know_the_same_limit() -> None:
    assert MOST_DOCUMENT_BYTES == MAX_DOCUMENT_BYTES


@pytest.mark.parametrize("surplus, status, message", [(0, 400, r"papers/large\.md: it is binary"), (1, 413, "20 MiB")])
async def test_the_largest_is_read_and_one_byte_more_is_refused_by_name(
    client: httpx.AsyncClient, surplus: int, status: int, message: str
) -> None:
    chat = ChatClient(url=str(client.base_url), api_key=API_KEY)
    content = BINARY * (MAX_DOCUMENT_BYTES // len(BINARY)) + b"\0" * surplus
    with pytest.raises(ChatError, match=message) as refused:
        await asyncio.to_thread(chat.upload, "papers/large.md", content)
    assert refused.value.status == status
    assert (await client.get("/livez")).status_code == 200
