"""`/livez`, `/readyz` and `/metrics`."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chatbot.api.dependencies import CollaboratorsDep
from chatbot.errors import ApiError

router = APIRouter()

CHECK_SECONDS = 2.0


@router.get("/livez")
async def livez(parts: CollaboratorsDep) -> Response:
    """200 while the process can work. Only an engine of its own can be beyond help: then a restart is the cure."""
    if parts.browsing is None:
        await parts.engine.check()
    return Response("ok\n", media_type="text/plain")


@router.get("/readyz")
async def readyz(parts: CollaboratorsDep, response: Response) -> dict[str, Any]:
    """What can be reached; 503 only where the process could serve nothing at all.

    The api stays ready without its stores and its engine: chats say what is missing, and wait for the engine a while.
    """
    checks = {"engine": parts.engine.check()}
    if parts.browsing:
        checks |= {"history": parts.browsing.history.ping(), "documents": parts.browsing.library.ping()}
    states = dict(zip(checks, await asyncio.gather(*map(state_of, checks.values())), strict=True))
    if parts.browsing is None and states["engine"] != "ok":
        response.status_code = 503
    return {"checks": states}


@router.get("/metrics")
async def metrics(parts: CollaboratorsDep) -> Response:
    """The same as on the metrics port, for those who have the key."""
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def state_of(check: Awaitable[None]) -> str:
    """`ok`, or `unavailable` when the check fails or takes longer than `CHECK_SECONDS`."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check
    except (ApiError, TimeoutError):
        return "unavailable"
    return "ok"
