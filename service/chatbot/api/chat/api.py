"""The routes of both roles."""

from collections.abc import Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from chatbot.api.chat.answer import Answer, completion, events
from chatbot.api.chat.protocol import AssistantRequest, ChatRequest, EngineRequest
from chatbot.api.chat.service import Assistant, plain_answer
from chatbot.api.chat.streaming import ClientGoneError, EventStream, unless_client_leaves, with_pauses
from chatbot.api.dependencies import BrowsingDep, CollaboratorsDep, OwnerDep

PATH = "/v1/chat/completions"
KEEP_ALIVE_SECONDS = 15.0
CLIENT_GONE = 499

assistant_router = APIRouter()
engine_router = APIRouter()


@assistant_router.post(PATH, response_model=None)
async def assistant_completions(
    body: AssistantRequest, request: Request, parts: CollaboratorsDep, browsing: BrowsingDep, owner: OwnerDep
) -> Response:
    """Answer with documents and history."""
    assistant = Assistant(parts.engine, browsing.search, browsing.history, parts.metrics, owner)
    return await _respond(body, request, assistant.answer(body))


@engine_router.post(PATH, response_model=None)
async def engine_completions(body: EngineRequest, request: Request, parts: CollaboratorsDep) -> Response:
    """Answer as the model does."""
    return await _respond(body, request, plain_answer(parts.engine, body))


async def _respond(body: ChatRequest, request: Request, work: Coroutine[Any, Any, Answer]) -> Response:
    """An event stream or one object; errors before the first event have an HTTP status."""
    try:
        answer = await unless_client_leaves(request, work)
        if body.stream:
            deltas = with_pauses(answer.deltas, KEEP_ALIVE_SECONDS)
            return EventStream(events(answer, deltas, wants_usage=body.wants_usage))
        return JSONResponse(await unless_client_leaves(request, completion(answer)))
    except ClientGoneError:
        return Response(status_code=CLIENT_GONE)
