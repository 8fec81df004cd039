"""The engine's half as a server of its own, and an api that has it so or within."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from chatbot.api.dependencies import Collaborators
from chatbot.app import build_app
from chatbot.auth import KeyRing
from chatbot.engine.protocol import Engine
from chatbot.engine.upstream import UpstreamEngine
from chatbot.settings import Settings
from chatbot.telemetry import Metrics
from tests.service.chatbot.api.conftest import Serve, sha256
from tests.service.chatbot.servers import serving

WAYS = ("one process", "two roles")


@asynccontextmanager
async def engine_role(engine: Engine, settings: Settings, port: int | None = None) -> AsyncIterator[str]:
    """Serve the engine; gives the address that an api is told."""
    app = build_app(settings, Collaborators(engine, KeyRing([sha256("engine-key")]), Metrics(), None))
    async with serving(app, port) as url:
        yield f"{url}/v1"


@asynccontextmanager
async def reached(way: str, engine: Engine, serve: Serve, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an api over the engine, in one of ``WAYS``."""
    if way == "one process":
        async with serve(engine) as client:
            yield client
    else:
        async with engine_role(engine, settings) as url, serve(UpstreamEngine(url, "engine-key", 20)) as client:
            yield client
