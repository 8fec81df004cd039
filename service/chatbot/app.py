"""The application, made of the collaborators that it is given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chatbot import errors, tracing
from chatbot.api import embeddings, health, models
from chatbot.api.chat.api import engine_router
from chatbot.api.dependencies import Collaborators
from chatbot.api.limits import BodyLimit
from chatbot.api.page import SecurityHeaders
from chatbot.auth import HEALTH, Guard
from chatbot.settings import Settings
from chatbot.telemetry import Requests

NOT_TRACED = (*HEALTH, "/v1/models")
"""Probes; and what an api's probe asks the engine, which costs nothing."""


def build_app(settings: Settings, parts: Collaborators) -> FastAPI:
    """The HTTP application of the role; it closes the collaborators when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if parts.browsing:
            await parts.browsing.history.close()
        await parts.engine.close()

    # No generated documentation pages: they load scripts from elsewhere.
    app = FastAPI(
        title="aihub chat",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=tracing.request_spans(NOT_TRACED),
    )
    app.state.collaborators = parts
    errors.install(app)
    for router in (health.router, models.router, embeddings.router):
        app.include_router(router)
    if parts.browsing is None:
        app.include_router(engine_router)
    else:
        # Not among the engine's packages: readers of documents, forms.
        from chatbot.api.browsing import mount_browsing  # noqa: PLC0415

        mount_browsing(app, settings)
    # The last one added is the outermost: every response has an id and the headers, also a refusal.
    app.add_middleware(Guard, keys=parts.keys, sessions=parts.browsing.sessions if parts.browsing else None)
    app.add_middleware(BodyLimit)
    app.add_middleware(Requests, metrics=parts.metrics)
    app.add_middleware(SecurityHeaders)
    return app
