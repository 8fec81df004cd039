"""Who may do what: every path needs a key or a session, but for a short list of open ones."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from chatbot.errors import ApiError
from chatbot.history.protocol import SHARED
from chatbot.sessions.person import Person
from chatbot.sessions.service import Sessions
from chatbot.settings import PREFIX, ConfigurationError, read_secret_file

COOKIE = "aihub_session"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HEALTH = ("/livez", "/readyz")
PAGE = ("/", "/favicon.svg")
SIGN_IN = "/api/sign-in"
"""Says how one may sign in, to those who have not."""
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who asks."""

    auth: Literal["key", "session"]
    """With the API key itself, or with a browser's session."""
    person: Person | None = None
    """Who signed in through the organisation; None: whoever has the API key."""

    @property
    def owner(self) -> str:
        """Whose conversations they work on: their own, or those that all who have the key share."""
        return self.person.owner if self.person else SHARED

    @property
    def is_admin(self) -> bool:
        """Whether they may change the documents."""
        return self.person is None or self.person.is_admin


class KeyRing:
    """The keys that are accepted, as SHA-256 hashes: enough for random keys, which need no slow hash."""

    def __init__(self, digests: list[str]) -> None:
        self._digests = digests

    def knows(self, key: str) -> bool:
        """Whether `key` is one of ours; takes the same time for every wrong key."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]  # all of them, also after a match
        return any(matches)


def api_keys(path: Path) -> KeyRing:
    """The API keys whose hashes stand in a file, one a line.

    Raises:
        ConfigurationError: the file cannot be read, is empty, or has a line that is no SHA-256.
    """
    lines = [line.strip() for line in read_secret_file(path, "API_KEY_SHA256_FILE").splitlines() if line.strip()]
    for number, line in enumerate(lines, start=1):
        if not SHA256.fullmatch(line):
            raise ConfigurationError(
                f"{PREFIX}API_KEY_SHA256_FILE: {path}: entry {number} is not a SHA-256 in lower-case hexadecimal "
                "(it must be the hash of the key, not the key)"
            )
    return KeyRing(lines)


def engine_key(path: Path) -> KeyRing:
    """The one key that the engine demands."""
    key = read_secret_file(path, "ENGINE_KEY_FILE")
    return KeyRing([hashlib.sha256(key.encode()).hexdigest()])


class Guard:
    """ASGI middleware: lets a request through, or answers 401 or 403 before any route is looked for.

    A path that exists nowhere needs a key too, so a route that is added later is closed until it is listed here.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing, sessions: Sessions | None) -> None:
        """`sessions` is None for the engine: no browser ever speaks to it."""
        self.app = app
        self._keys = keys
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            scope.setdefault("state", {})["identity"] = await self._identify(scope)
        except ApiError as error:
            return await error.response()(scope, receive, send)
        return await self.app(scope, receive, send)

    async def _identify(self, scope: Scope) -> Identity | None:
        headers = Headers(scope=scope)
        method, path = scope["method"], scope["path"]
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._keys.knows(key.strip()):
            return Identity(auth="key")
        is_open = is_open_path(method, path, for_browsers=self._sessions is not None)
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        if self._sessions and (cookie or is_open) and method not in SAFE_METHODS:
            _refuse_other_sites(headers)
        if is_open:
            return None
        if self._sessions and cookie and not scheme:
            session = await self._sessions.find(cookie)
            if session:
                return Identity(auth="session", person=session.person)
        raise ApiError(
            401,
            "This needs a key: send the header `Authorization: Bearer <API key>`"
            + (", or sign in on the page." if self._sessions else "."),
            code="invalid_api_key" if scheme else "missing_api_key",
        )


def is_open_path(method: str, path: str, *, for_browsers: bool) -> bool:
    """Whether a path answers without a key."""
    if path in HEALTH:
        return method in SAFE_METHODS
    if not for_browsers:
        return False
    if method in SAFE_METHODS:
        return path in (*PAGE, SIGN_IN) or path.startswith(("/assets/", "/login/"))
    return (method, path) == ("POST", "/api/sessions")


def _refuse_other_sites(headers: Headers) -> None:
    """A browser says where a write comes from; only our own page may write with its cookie.

    SameSite=Lax already keeps the cookie from other sites; this also covers other ports and names of the same site.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none") or (origin and urlsplit(origin).netloc != headers.get("host")):
        raise ApiError(
            403, "Writes with a session are accepted from this service's own page only.", code="wrong_origin"
        )
