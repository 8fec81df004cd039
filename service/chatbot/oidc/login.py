"""From a browser that leaves for the issuer to the person who comes back."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chatbot.oidc.errors import Failure, LoginError
from chatbot.oidc.issuer import GROUPS, Issuer
from chatbot.sessions.person import NAME_CHARACTERS, Person, owner_of
from chatbot.sessions.service import LOGIN_SECONDS
from chatbot.settings import ConfigurationError, Settings, read_secret_file

CALLBACK = "/login/callback"
TICKET = re.compile(r"[\w-]{43}\.(?P<begun>\d{1,12})\.(?P<conversation>|conv_[0-9a-f]{16})", re.ASCII)
PASSING = ("server_error", "temporarily_unavailable")
"""The issuer's own trouble, by the codes that it sends a browser back with."""


class OidcLogin:
    """Attempts to sign in.

    An attempt lives in one cookie of the browser, and nowhere else: a ticket of chance, time and where to go after it.
    `state`, `nonce` and the PKCE verifier follow from it, so what comes back fits only the browser that left. A code
    works once: that is the issuer's duty (RFC 6749, 4.1.2).
    """

    def __init__(self, issuer: Issuer, home: str, *, user_group: str | None, admin_group: str | None) -> None:
        self._issuer = issuer
        self._home = home
        self._user_group = user_group
        self._admin_group = admin_group

    async def begin(self, conversation_id: str) -> tuple[str, str]:
        """The address to send the browser to, and the ticket that it must bring back.

        `conversation_id` (may be empty) comes back from `finish`.

        Raises:
            LoginError: the issuer is away.
        """
        ticket = ".".join((secrets.token_urlsafe(32), str(int(time.time())), conversation_id))
        state, nonce, verifier = (derived(ticket, use) for use in ("state", "nonce", "verifier"))
        return await self._issuer.authorization_url(state, nonce, verifier), ticket

    async def finish(self, ticket: str, state: str, code: str, error: str) -> tuple[Person, str]:
        """Who came back, and the conversation that was given to `begin`.

        Raises:
            LoginError: nobody whom we let in.
        """
        if not hmac.compare_digest(derived(ticket, "state").encode(), state.encode()):
            raise LoginError(Failure.STALE, "this browser did not begin the attempt")
        match = TICKET.fullmatch(ticket)
        if match is None or not 0 <= time.time() - int(match["begun"]) <= LOGIN_SECONDS:
            raise LoginError(Failure.STALE, "the attempt is too old")
        if error or not code:
            known = error if error.isascii() and error.replace("_", "").isalpha() else "no code"
            failure = Failure.AWAY if error in PASSING else Failure.REFUSED
            raise LoginError(failure, f"the issuer sent the browser back with {known[:100]}")
        claims = await self._issuer.claims(
            code,
            derived(ticket, "verifier"),
            derived(ticket, "nonce"),
            needs_groups=bool(self._user_group or self._admin_group),
        )
        return self._admitted(claims), match["conversation"]

    async def end_session_url(self) -> str | None:
        """Where to sign out of the issuer, too."""
        return await self._issuer.end_session_url(f"{self._home}/")

    def _admitted(self, claims: Mapping[str, Any]) -> Person:
        groups = claims.get(GROUPS) or []
        groups = [groups] if isinstance(groups, str) else groups
        is_admin = self._admin_group is None or self._admin_group in groups
        person = Person(owner=owner_of(self._issuer.url, str(claims["sub"])), name=name_in(claims), is_admin=is_admin)
        if self._user_group is None or self._user_group in groups or (self._admin_group and is_admin):
            return person
        raise LoginError(Failure.GROUP, "in none of the groups that may use the chat", name=person.name)


def oidc_login(settings: Settings) -> OidcLogin | None:
    """How people sign in through the organisation; None where that is not configured.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    if settings.oidc_issuer is None or not settings.oidc_client_secret_file or not settings.public_url:
        return None
    issuer = Issuer(
        settings.oidc_issuer,
        settings.oidc_client_id or "",
        read_secret_file(settings.oidc_client_secret_file, "OIDC_CLIENT_SECRET_FILE"),
        settings.public_url + CALLBACK,
        _readable(settings.oidc_ca_file),
    )
    groups = {"user_group": settings.oidc_user_group, "admin_group": settings.oidc_admin_group}
    return OidcLogin(issuer, settings.public_url, **groups)


def derived(ticket: str, use: str) -> str:
    """A value of 43 characters that follows from `ticket` and does not give it away."""
    digest = hmac.new(ticket.encode(), use.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def name_in(claims: Mapping[str, Any]) -> str:
    """What to call a person."""
    names = (claims.get(claim) for claim in ("name", "preferred_username", "email", "sub"))
    return next(name for name in names if isinstance(name, str) and name.strip()).strip()[:NAME_CHARACTERS]


def _readable(ca_file: Path | None) -> Path | None:
    if ca_file and "-----BEGIN CERTIFICATE-----" not in read_secret_file(ca_file, "OIDC_CA_FILE"):
        raise ConfigurationError(f"CHATBOT_OIDC_CA_FILE: {ca_file} holds no certificate in PEM")
    return ca_file
