"""Applications behind a real HTTP server, in the test's event loop."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chatbot.api.dependencies import Browsing, Collaborators
from chatbot.app import build_app
from chatbot.auth import KeyRing
from chatbot.engine.metered import MeteredEngine
from chatbot.engine.protocol import Engine
from chatbot.history.file import FileHistory
from chatbot.history.pending import PendingHistory
from chatbot.history.protocol import History
from chatbot.oidc.login import oidc_login
from chatbot.retrieval import chroma_connection
from chatbot.retrieval.chroma import ChromaDocuments
from chatbot.retrieval.library import Library
from chatbot.retrieval.protocol import Documents
from chatbot.retrieval.search import Search
from chatbot.sessions.file import FileTickets
from chatbot.sessions.service import Sessions
from chatbot.settings import Settings
from chatbot.telemetry import Metrics
from tests.service.chatbot.oidc_provider import OidcProvider
from tests.service.chatbot.scripted import ScriptedEngine
from tests.service.chatbot.servers import free_port, serving

API_KEY = "api-key-canary-93ab"
AUTHORIZED = {"Authorization": f"Bearer {API_KEY}"}


@dataclass(frozen=True)
class Built:
    """An application and what it was made of."""

    app: FastAPI
    browsing: Browsing


Build = Callable[..., Built]
Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    hashes = tmp_path / "hashes"
    hashes.write_text(sha256(API_KEY))
    return Settings(role="all", api_key_sha256_file=hashes, data_dir=tmp_path / "data", web_dir=tmp_path / "web")


@pytest.fixture
def build(settings: Settings, tmp_path: Path) -> Build:
    """Make the api over an engine and stores; further names are settings."""

    def make(engine: Engine, history: History | None = None, documents: Documents | None = None, **given: Any) -> Built:
        chosen = settings.model_copy(update=given)
        metrics = Metrics()
        metered = MeteredEngine(engine, metrics, "scripted")
        documents = documents or ChromaDocuments(chroma_connection.embedded(tmp_path / "documents"))
        browsing = Browsing(
            history=PendingHistory(history or FileHistory(tmp_path / "history"), metrics, 0.1),
            library=Library(metered, documents),
            search=Search(metered, documents, metrics),
            sessions=Sessions(FileTickets(tmp_path / "sessions.json")),
            oidc=oidc_login(chosen),
        )
        parts = Collaborators(metered, KeyRing([sha256(API_KEY)]), metrics, browsing)
        return Built(build_app(chosen, parts), browsing)

    return make


@pytest.fixture
def serve(build: Build) -> Serve:
    """Start the api over an engine and stores; gives a client with the API key."""

    @asynccontextmanager
    async def start(*parts: Any, port: int | None = None, **named: Any) -> AsyncIterator[httpx.AsyncClient]:
        app = build(*parts, **named).app
        async with serving(app, port) as url, httpx.AsyncClient(base_url=url, headers=AUTHORIZED, timeout=30) as client:
            yield client

    return start


@pytest.fixture
def scripted() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def built(build: Build, scripted: ScriptedEngine) -> Built:
    return build(scripted)


@pytest.fixture
async def client(serve: Serve, scripted: ScriptedEngine) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(scripted) as client:
        yield client


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    """An issuer that knows Kim of the staff and Lee who administers, too; the chat's own port is in its redirect."""
    with OidcProvider(f"http://127.0.0.1:{free_port()}/login/callback") as provider:
        provider.add("kim", name="김하나", groups=["staff"])
        provider.add("lee", name="Lee <b>", groups=["staff", "admins"])
        yield provider
