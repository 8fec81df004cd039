"""A person's browser, from the chat to the issuer and back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.service.chatbot.api.conftest import Serve
from tests.service.chatbot.oidc_provider import OidcProvider
from tests.service.chatbot.scripted import ScriptedEngine


@asynccontextmanager
async def chat_at(
    provider: OidcProvider, serve: Serve, folder: Path, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The api with logins at `provider`; gives a client with the API key."""
    given = {**provider.settings(folder / "client-secret"), **settings}
    port = int(given["public_url"].rpartition(":")[2])
    async with serve(ScriptedEngine(), port=port, **given) as client:
        yield client


def browser(chat: httpx.AsyncClient) -> httpx.AsyncClient:
    """One that has no cookies yet."""
    return httpx.AsyncClient(base_url=chat.base_url, timeout=30)


async def leave(person: httpx.AsyncClient, query: str = "") -> str:
    """Follow the link of the page; the issuer's address."""
    response = await person.get(f"/login/start{query}")
    assert response.status_code == 303, response.text
    return response.headers["location"]


async def consent(address: str, subject: str, **form: str) -> str:
    """Sign in at the issuer; the address to come back to."""
    async with httpx.AsyncClient(verify=False) as client:
        response = await client.post(address, data={"sub": subject, **form})
    assert response.status_code == 302, response.text
    return response.headers["location"]


async def log_in(person: httpx.AsyncClient, subject: str, query: str = "") -> httpx.Response:
    """The whole way; what the chat answers to the browser that comes back."""
    return await person.get(await consent(await leave(person, query), subject))
