"""The organisation's OpenID Connect issuer, as its client sees it."""

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.common.urls import add_params_to_uri  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from chatbot.oidc.errors import Failure, LoginError
from chatbot.settings import is_secure

SCOPES = ("openid", "profile", "email", "groups")
GROUPS = "groups"
METADATA_SECONDS = 3600.0
ANSWER_SECONDS = 5.0
CLOCK_SECONDS = 120
"""How far the issuer's clock may be from ours."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures that are the issuer's alone: neither `none` nor those made with the client's own secret."""
DEFAULT_ALGORITHM = "RS256"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OURS = ("invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_grant_type")
"""Error codes that speak of the client, not of the attempt."""

Claims = Mapping[str, Any]
log = structlog.get_logger()


class Issuer:
    """Asks the issuer; it may be away at any time, also when the service starts."""

    def __init__(self, url: str, client_id: str, client_secret: str, redirect_uri: str, ca_file: Path | None) -> None:
        self.url = url
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._ca_file = ca_file
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: KeySet | None = None

    async def authorization_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where a browser goes to sign in.

        Raises:
            LoginError: the issuer is away, or is another one than configured.
        """
        async with self._client() as client:
            metadata = await self._describe(client)
            # An issuer that does not know the scope may refuse the whole request for it.
            offered = metadata.get("scopes_supported") or SCOPES
            client.scope = " ".join(scope for scope in SCOPES if scope == "openid" or scope in offered)
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce
            )
        return str(url)

    async def claims(self, code: str, verifier: str, nonce: str, *, needs_groups: bool) -> Claims:
        """What the issuer says of the person for whom it gave out `code`.

        Raises:
            LoginError: the issuer is away or refuses the code, or its answer is not for this attempt.
        """
        async with self._client() as client:
            metadata = await self._describe(client)
            token = await self._exchange(client, metadata, code, verifier)
            claims = await self._verified(client, metadata, token, nonce)
            place = _optional(metadata, "userinfo_endpoint")
            if needs_groups and GROUPS not in claims and place:
                # Some issuers keep the token small and tell the groups only here.
                with _answering():
                    answer = (await client.get(place)).raise_for_status().json()
                if answer.get("sub") != claims["sub"]:
                    raise LoginError(Failure.INVALID, "userinfo is of somebody else")
                claims = {**answer, **claims}
            return claims

    async def end_session_url(self, back: str) -> str | None:
        """Where a browser goes to sign out of the issuer, too; None where it has no such place, or is away."""
        try:
            async with self._client() as client:
                place = _optional(await self._describe(client), "end_session_endpoint")
        except LoginError:
            return None
        given = {"client_id": self._client_id, "post_logout_redirect_uri": back}
        return str(add_params_to_uri(place, given.items())) if place else None

    def _client(self) -> AsyncOAuth2Client:
        # A file that a certificate's renewal has replaced counts at once.
        trust: ssl.SSLContext | bool = True
        if self._ca_file:
            trust = ssl.create_default_context()
            trust.load_verify_locations(self._ca_file)
        return AsyncOAuth2Client(
            client_id=self._client_id,
            client_secret=self._client_secret,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            verify=trust,
            timeout=ANSWER_SECONDS,
        )

    async def _describe(self, client: AsyncOAuth2Client) -> dict[str, Any]:
        now = time.monotonic()
        if self._metadata and now - self._metadata[0] < METADATA_SECONDS:
            return self._metadata[1]
        with _answering():
            place = f"{self.url.rstrip('/')}/.well-known/openid-configuration"
            metadata: dict[str, Any] = (
                (await client.request("GET", place, withhold_token=True)).raise_for_status().json()
            )
            if metadata.get("issuer") != self.url:
                raise LoginError(Failure.SETUP, "CHATBOT_OIDC_ISSUER is not what the issuer calls itself")
            if any(not isinstance(metadata.get(name), str) or not is_secure(metadata[name]) for name in ENDPOINTS):
                raise LoginError(Failure.SETUP, f"the issuer does not offer {', '.join(ENDPOINTS)} over https")
        self._metadata, self._keys = (now, metadata), None
        return metadata

    async def _exchange(
        self, client: AsyncOAuth2Client, metadata: dict[str, Any], code: str, verifier: str
    ) -> dict[str, Any]:
        with _answering():
            try:
                return dict(await client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=verifier))
            except AuthlibBaseError as error:
                failure = Failure.SETUP if error.error in OURS else Failure.STALE
                raise LoginError(failure, f"the issuer refuses the code: {str(error.error)[:100]}") from None

    async def _verified(
        self, client: AsyncOAuth2Client, metadata: dict[str, Any], token: dict[str, Any], nonce: str
    ) -> Claims:
        offered = metadata.get("id_token_signing_alg_values_supported") or [DEFAULT_ALGORITHM]
        registry = JWSRegistry(algorithms=[name for name in ALGORITHMS if name in offered], strict_check_header=False)
        text = token.get("id_token")
        if not isinstance(text, str):
            raise LoginError(Failure.INVALID, "the issuer sent no id_token (is `openid` among its scopes?)")
        try:
            try:
                decoded = jwt.decode(text, await self._key_set(client, metadata), registry=registry)
            except (InvalidKeyIdError, BadSignatureError):
                self._keys = None  # the issuer may have changed its keys
                decoded = jwt.decode(text, await self._key_set(client, metadata), registry=registry)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self.url},
                    "sub": {"essential": True},
                    "aud": {"essential": True, "value": self._client_id},
                },
                {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")},
            )
            claims.validate(leeway=CLOCK_SECONDS)
        except JoseError as error:
            raise LoginError(Failure.INVALID, f"id_token: {str(error.error)[:100]} {_claim(error)}".strip()) from None
        except (ValueError, TypeError) as error:
            raise LoginError(Failure.INVALID, f"id_token: {type(error).__name__}") from None
        return dict(claims)

    async def _key_set(self, client: AsyncOAuth2Client, metadata: dict[str, Any]) -> KeySet:
        if self._keys is None:
            with _answering():
                answer = await client.request("GET", metadata["jwks_uri"], withhold_token=True)
                self._keys = KeySet.import_key_set(answer.raise_for_status().json())
        return self._keys


def _optional(metadata: dict[str, Any], name: str) -> str | None:
    place = metadata.get(name)
    return place if isinstance(place, str) and is_secure(place) else None


@contextmanager
def _answering() -> Iterator[None]:
    """Turns "the issuer gave no usable answer" into a `LoginError`."""
    try:
        yield
    except (httpx2.HTTPError, OSError) as error:
        raise LoginError(Failure.AWAY, _cause(error)) from None
    except (ValueError, KeyError, AttributeError, JoseError) as error:
        raise LoginError(Failure.SETUP, f"the issuer's answer is not OpenID Connect: {type(error).__name__}") from None


def _cause(error: Exception) -> str:
    """The innermost message: what TLS or the network said, rather than which layer noticed."""
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    return f"the issuer does not answer: {str(inner)[:200] or type(error).__name__}"


def _claim(error: JoseError) -> str:
    return str(getattr(error, "claim", ""))
