"""One-time logins, sessions, and who is asking."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from chatbot.api.dependencies import BrowsingDep, CollaboratorsDep
from chatbot.api.health import state_of
from chatbot.auth import COOKIE
from chatbot.errors import ApiError
from chatbot.sessions.service import LOGIN_SECONDS, SESSION_SECONDS

router = APIRouter()

UNKNOWN_MODEL = {"id": "unknown", "engine": "upstream"}
"""What is said of the model while the engine is away: clients need not handle a hole."""
SPENT_LOGIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Login link not valid</title>
<h1>This login link is not valid any more</h1>
<p>A link opens one session and is good for 15 minutes.
Ask for a new one, or <a href="/">sign in with the API key</a>.</p>
<p lang="ko">이 로그인 링크는 이미 사용되었거나 만료되었습니다.
새 링크를 요청하거나 <a href="/">API 키로 로그인</a>해 주세요.</p>
</html>"""


class SignIn(BaseModel):
    """Body of `POST /api/sessions`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    api_key: str = Field(min_length=1, max_length=1000)


@router.post("/api/logins", status_code=201)
async def create_login(request: Request, browsing: BrowsingDep) -> dict[str, str]:
    """A link that opens one session; only for those who have the key, so that a session cannot multiply."""
    if request.state.identity != "key":
        raise ApiError(403, "One-time logins are made with the API key, not with a session.", code="key_needed")
    ticket = await browsing.sessions.open_login()
    ends = datetime.now(UTC) + timedelta(seconds=LOGIN_SECONDS)
    return {"path": f"/login/{ticket}", "expires_at": ends.isoformat(timespec="seconds").replace("+00:00", "Z")}


@router.get("/login/{ticket}", response_model=None)
async def use_login(ticket: str, request: Request, browsing: BrowsingDep) -> Response:
    """Sign the browser in and go to the page."""
    if not await browsing.sessions.use_login(ticket):
        return HTMLResponse(SPENT_LOGIN, status_code=410)
    response = RedirectResponse("/", status_code=303)
    _set_cookie(response, request, await browsing.sessions.open_session())
    return response


@router.post("/api/sessions", status_code=204)
async def create_session(body: SignIn, request: Request, response: Response, parts: CollaboratorsDep) -> None:
    """Sign in with the API key."""
    browsing = parts.browsing
    if browsing is None or not parts.keys.knows(body.api_key.strip()):
        raise ApiError(401, "This API key is not known here.", code="invalid_api_key", param="api_key")
    _set_cookie(response, request, await browsing.sessions.open_session())


@router.delete("/api/sessions", status_code=204)
async def close_session(request: Request, response: Response, browsing: BrowsingDep) -> None:
    """Sign out."""
    ticket = request.cookies.get(COOKIE)
    if ticket:
        await browsing.sessions.close_session(ticket)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")


@router.get("/api/me")
async def who_am_i(request: Request, parts: CollaboratorsDep, browsing: BrowsingDep) -> dict[str, Any]:
    """How the request is signed in, the model, and what works right now."""
    history, documents, engine = await asyncio.gather(
        state_of(browsing.history.ping()), state_of(browsing.library.ping()), state_of(parts.engine.check())
    )
    model = UNKNOWN_MODEL
    if engine == "ok":
        info = await parts.engine.describe()
        model = {"id": info.id, "engine": info.engine}
    return {
        "auth": request.state.identity,
        "model": model,
        "services": {"history": history, "documents": documents, "engine": engine},
    }


def _set_cookie(response: Response, request: Request, ticket: str) -> None:
    # TLS ends at the ingress, which says so in this header.
    is_tls = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    response.set_cookie(COOKIE, ticket, max_age=SESSION_SECONDS, httponly=True, samesite="lax", secure=is_tls)
