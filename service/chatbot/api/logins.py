"""One-time logins, sessions, and who is asking."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from chatbot.api.cookies import set_session_cookie
from chatbot.api.dependencies import BrowsingDep, CollaboratorsDep, IdentityDep
from chatbot.api.health import state_of
from chatbot.api.sign_in_pages import spent_link
from chatbot.auth import COOKIE, SIGN_IN
from chatbot.errors import ApiError
from chatbot.sessions.service import LOGIN_SECONDS

router = APIRouter()

UNKNOWN_MODEL: dict[str, Any] = {"id": "unknown", "engine": "upstream", "images": None}
"""What is said of the model while the engine is away: clients need not handle a hole."""


class SignIn(BaseModel):
    """Body of `POST /api/sessions`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    api_key: str = Field(min_length=1, max_length=1000)


@router.post("/api/logins", status_code=201)
async def create_login(identity: IdentityDep, browsing: BrowsingDep) -> dict[str, str]:
    """A link that opens one session; only for those who have the key, so that a session cannot multiply."""
    if identity.auth != "key":
        raise ApiError(403, "One-time logins are made with the API key, not with a session.", code="key_needed")
    ticket = await browsing.sessions.open_login()
    ends = datetime.now(UTC) + timedelta(seconds=LOGIN_SECONDS)
    return {"path": f"/login/{ticket}", "expires_at": ends.isoformat(timespec="seconds").replace("+00:00", "Z")}


@router.get("/login/{ticket}", response_model=None)
async def use_login(ticket: str, request: Request, browsing: BrowsingDep) -> Response:
    """Sign the browser in and go to the page."""
    if not await browsing.sessions.use_login(ticket):
        return spent_link()
    response = RedirectResponse("/", status_code=303)
    set_session_cookie(response, request, await browsing.sessions.open_session())
    return response


@router.post("/api/sessions", status_code=204)
async def create_session(body: SignIn, request: Request, response: Response, parts: CollaboratorsDep) -> None:
    """Sign in with the API key."""
    browsing = parts.browsing
    if browsing is None or not parts.keys.knows(body.api_key.strip()):
        raise ApiError(401, "This API key is not known here.", code="invalid_api_key", param="api_key")
    set_session_cookie(response, request, await browsing.sessions.open_session())


@router.delete("/api/sessions", response_model=None)
async def close_session(request: Request, identity: IdentityDep, browsing: BrowsingDep) -> Response:
    """Sign out: 204, or 200 with the address at which the organisation's issuer lets one sign out of it, too."""
    ticket = request.cookies.get(COOKIE)
    if ticket:
        await browsing.sessions.close_session(ticket)
    place = await browsing.oidc.end_session_url() if identity.person and browsing.oidc else None
    response = JSONResponse({"end_session_url": place}) if place else Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return response


@router.get(SIGN_IN)
async def ways_to_sign_in(browsing: BrowsingDep) -> dict[str, bool]:
    """What the page offers to somebody who is not signed in."""
    return {"api_key": True, "organisation": browsing.oidc is not None}


@router.get("/api/me")
async def who_am_i(identity: IdentityDep, parts: CollaboratorsDep, browsing: BrowsingDep) -> dict[str, Any]:
    """How the request is signed in, the model, and what works right now."""
    history, documents, engine = await asyncio.gather(
        state_of(browsing.history.ping()), state_of(browsing.library.ping()), state_of(parts.engine.check())
    )
    model = UNKNOWN_MODEL
    if engine == "ok":
        info = await parts.engine.describe()
        model = {"id": info.id, "engine": info.engine, "images": info.images}
    return {
        "auth": identity.auth,
        "name": identity.person.name if identity.person else None,
        "role": "admin" if identity.is_admin else "user",
        "model": model,
        "services": {"history": history, "documents": documents, "engine": engine},
    }
