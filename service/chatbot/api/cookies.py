"""The browser's cookies: both are for the service alone, and no script can read them."""

from fastapi import Request, Response

from chatbot.auth import COOKIE
from chatbot.sessions.service import LOGIN_SECONDS, PERSON_SECONDS, SESSION_SECONDS

ATTEMPT_COOKIE = "aihub_login"
ATTEMPT_PATH = "/login"


def set_session_cookie(response: Response, request: Request, ticket: str, *, is_person: bool = False) -> None:
    """Sign the browser in."""
    seconds = PERSON_SECONDS if is_person else SESSION_SECONDS
    response.set_cookie(COOKIE, ticket, max_age=seconds, httponly=True, samesite="lax", secure=_is_tls(request))


def set_attempt_cookie(response: Response, request: Request, ticket: str) -> None:
    """Let the browser prove, when it comes back from the issuer, that it is the one that left."""
    response.set_cookie(
        ATTEMPT_COOKIE,
        ticket,
        max_age=LOGIN_SECONDS,
        path=ATTEMPT_PATH,
        httponly=True,
        samesite="lax",
        secure=_is_tls(request),
    )


def delete_attempt_cookie(response: Response) -> None:
    """The attempt is over."""
    response.delete_cookie(ATTEMPT_COOKIE, path=ATTEMPT_PATH, httponly=True, samesite="lax")


def _is_tls(request: Request) -> bool:
    # TLS ends at the ingress, which says so in this header.
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
