"""`/login/start` and `/login/callback`: to the organisation's issuer and back."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from chatbot.api.chat.protocol import CONVERSATION_ID
from chatbot.api.cookies import ATTEMPT_COOKIE, delete_attempt_cookie, set_attempt_cookie, set_session_cookie
from chatbot.api.dependencies import Browsing, BrowsingDep, CollaboratorsDep
from chatbot.api.sign_in_pages import START, failed_login
from chatbot.auth import COOKIE
from chatbot.oidc.errors import LoginError
from chatbot.oidc.login import CALLBACK, OidcLogin

MAX_CHARACTERS = 4096
SIGNED_IN = "signed_in"

router = APIRouter()
log = structlog.get_logger()

Given = Annotated[str, Query(max_length=MAX_CHARACTERS)]
Conversation = Annotated[str | None, Query(pattern=CONVERSATION_ID)]


@router.get(START, response_model=None)
async def begin(
    request: Request, parts: CollaboratorsDep, browsing: BrowsingDep, conversation: Conversation = None
) -> Response:
    """Send the browser to the issuer; it will come back to `conversation`, and to nowhere else."""
    try:
        address, ticket = await _oidc(browsing).begin(conversation or "")
    except LoginError as error:
        return _failed(error, parts)
    response = RedirectResponse(address, status_code=303)
    set_attempt_cookie(response, request, ticket)
    return response


@router.get(CALLBACK, response_model=None)
async def come_back(
    request: Request,
    *,
    parts: CollaboratorsDep,
    browsing: BrowsingDep,
    state: Given = "",
    code: Given = "",
    error: Given = "",
) -> Response:
    """Sign the browser in as whom the issuer says, and go to the page."""
    try:
        ticket = request.cookies.get(ATTEMPT_COOKIE, "")
        person, conversation = await _oidc(browsing).finish(ticket, state, code, error)
    except LoginError as failure:
        response = _failed(failure, parts)
    else:
        parts.metrics.logins.labels(SIGNED_IN).inc()
        former = request.cookies.get(COOKIE)
        if former:
            await browsing.sessions.close_session(former)
        response = RedirectResponse(f"/#/c/{conversation}" if conversation else "/", status_code=303)
        set_session_cookie(response, request, await browsing.sessions.open_session(person), is_person=True)
    delete_attempt_cookie(response)
    return response


def _oidc(browsing: Browsing) -> OidcLogin:
    if browsing.oidc is None:
        raise TypeError("the routes of a login are mounted without one")
    return browsing.oidc


def _failed(error: LoginError, parts: CollaboratorsDep) -> Response:
    parts.metrics.logins.labels(error.failure.value).inc()
    log.warning("login_failed", failure=error.failure.value, reason=error.reason)
    return failed_login(error.failure, error.name)
