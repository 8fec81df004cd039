"""A stand-in for GitLab: what its API answers to the preflight's four questions, with its own statuses and words.

Of the real one nothing runs here. The answers are those of GitLab's lib/api: api_guard.rb (401), project_hooks.rb and
deploy_tokens.rb (403 below Maintainer), helpers.rb (404 for a project that a token does not see).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from tests.infra.registry.registries import Certificates, served

PROJECT, FOLLOWED = "platform/aihub", "platform/gitops"
MAINTAINER, DEVELOPER = 40, 30
_OAUTH = {"expired": "Token is expired. You can either do re-authorization or token refresh."}
_OAUTH["revoked"] = "Token was revoked. You have to re-authorize from the user."


@dataclass(frozen=True, kw_only=True)
class Token:
    """What the stand-in knows of one token."""

    scopes: tuple[str, ...] = ("api",)
    levels: dict[str, int] = field(default_factory=lambda: {PROJECT: MAINTAINER, FOLLOWED: MAINTAINER})
    """Project that it sees -> its access level."""
    told: bool = True
    """Whether ``permissions`` name the level; not so where it comes from a group further up."""
    refusal: tuple[int, dict[str, str]] | None = None
    """What it is answered everywhere."""
    expires_at: str | None = "2027-01-31"


TOKENS = {
    "glpat-group": Token(),
    "glpat-for-ever": Token(expires_at=None),
    "glpat-project": Token(levels={PROJECT: MAINTAINER}),
    "glpat-from-above": Token(told=False),
    "glpat-developer": Token(levels={PROJECT: DEVELOPER, FOLLOWED: MAINTAINER}),
    "glpat-developer-from-above": Token(levels={PROJECT: DEVELOPER, FOLLOWED: DEVELOPER}, told=False),
    "glpat-reader": Token(scopes=("read_api", "read_repository")),
    "glpat-expired": Token(refusal=(401, {"error": "invalid_token", "error_description": _OAUTH["expired"]})),
    "glpat-revoked": Token(refusal=(401, {"error": "invalid_token", "error_description": _OAUTH["revoked"]})),
    "glpat-blocked": Token(refusal=(403, {"message": "403 Forbidden - Your account has been blocked."})),
    "glpat-of-a-job": Token(refusal=(400, {"message": "400 Bad request - This endpoint requires token type ..."})),
}


class GitLabStandIn(BaseHTTPRequestHandler):
    """Answers below ``/api/v4``; anything else is a page."""

    asked: ClassVar[list[str]] = []
    """Every path."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.asked.append(path)
        token = TOKENS.get(self.headers.get("PRIVATE-TOKEN", ""))
        if not path.startswith("/api/v4/"):
            self.say(404, "<html>")
        elif token is None:
            self.say(401, {"message": "401 Unauthorized"})
        elif token.refusal:
            self.say(*token.refusal)
        else:
            self.say(*_answer(path.removeprefix("/api/v4/"), token))

    def say(self, status: int, body: Any, **headers: str) -> None:
        """Answer with JSON, or with a page where ``body`` is text."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


def _answer(path: str, token: Token) -> tuple[int, Any]:
    if path == "personal_access_tokens/self":
        return 200, {"id": 7, "active": True, "scopes": token.scopes, "expires_at": token.expires_at}
    owner, name, *rest = path.removeprefix("projects/").split("/")
    level = token.levels.get(f"{owner}/{name}")
    if level is None:
        return 404, {"message": "404 Project Not Found"}
    if not rest:
        access = {"access_level": level, "notification_level": 3} if token.told else None
        return 200, {"id": 1, "permissions": {"project_access": access, "group_access": None}}
    if rest[0] in ("hooks", "deploy_tokens"):
        return (200, []) if level >= MAINTAINER else (403, {"message": "403 Forbidden"})
    return 404, {"error": "404 Not Found"}


@contextmanager
def gitlab(certificates: Certificates | None = None) -> Iterator[str]:
    """Serve the stand-in, by TLS where there are certificates, and return its address."""
    GitLabStandIn.asked = []
    with served(GitLabStandIn, certificates) as port:
        yield f"{'https' if certificates else 'http'}://localhost:{port}"
