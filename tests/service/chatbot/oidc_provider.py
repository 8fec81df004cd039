"""A real OpenID Connect provider over HTTP, with switches for what an attacker or a fault would do."""

import base64
import hashlib
import json
import ssl
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

import flask
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug.serving import make_server

from tests.service.chatbot.servers import free_port

with warnings.catch_warnings():  # it uses what its own library will take away
    warnings.simplefilter("ignore")
    import oidc_provider_mock
    from oidc_provider_mock._storage import storage

QUIET = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")
TOKEN = "/oauth2/token"
AUTHORIZE = "/oauth2/authorize"
DISCOVERY = "/.well-known/openid-configuration"
Forge = Callable[[dict[str, Any], "OidcProvider"], str]


class OidcProvider:
    """`oidc-provider-mock`, which holds a client to PKCE, too, and can be stopped, started again, and made to lie."""

    def __init__(self, redirect_uri: str, certificate: tuple[Path, Path] | None = None) -> None:
        self._redirect_uri = redirect_uri
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self.port = free_port()
        self.url = f"{'https' if certificate else 'http'}://localhost:{self.port}"
        self.client_id = ""
        self.client_secret = ""
        self.forge: Forge | None = None
        """Makes the id_token from the true claims."""
        self.metadata: dict[str, Any] = {}
        """Takes the place of what discovery says."""
        self.userinfo: dict[str, Any] = {}
        """Takes the place of what the place of that name says."""
        self.asked: list[dict[str, str]] = []
        """The parameters of all authorization requests."""
        self.exchanges = 0
        """How often a code was brought."""
        self._challenges: dict[str, str] = {}
        self._people: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        app = oidc_provider_mock.app(require_client_registration=True, require_nonce=True)
        app.debug = False
        app.before_request(self._before)
        app.after_request(self._after)
        self.app = app
        self._server = make_server("localhost", self.port, app, threaded=True, ssl_context=self._tls)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        client = self._call("POST", "/oauth2/clients", {"redirect_uris": [self._redirect_uri]}).json()
        self.client_id, self.client_secret = client["client_id"], client["client_secret"]
        for subject, claims in self._people.items():
            self.add(subject, **claims)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, subject: str, **claims: Any) -> None:
        """Somebody who can sign in."""
        self._people[subject] = claims
        self._call("PUT", f"/users/{quote(subject)}", claims)

    def settings(self, secret_file: Path) -> dict[str, Any]:
        """What the chat must know of us."""
        secret_file.write_text(self.client_secret + "\n")
        home = self._redirect_uri.removesuffix("/login/callback")
        return {
            "oidc_issuer": self.url,
            "oidc_client_id": self.client_id,
            "oidc_client_secret_file": secret_file,
            "public_url": home,
        }

    def renew_keys(self) -> None:
        """Sign with a key that no client has seen; the clients stay known."""
        with self.app.test_request_context():
            self.app.preprocess_request()
            storage.jwk = type(storage.jwk).generate_key(is_private=True)

    def forget_codes(self) -> None:
        """As if the time of all codes were over."""
        self._challenges.clear()

    def _call(self, method: str, path: str, body: Any) -> httpx.Response:
        return httpx.request(method, self.url + path, json=body, verify=False).raise_for_status()

    def _before(self) -> flask.Response | None:
        if flask.request.path == AUTHORIZE:
            self.asked.append(flask.request.args.to_dict())
        if flask.request.path != TOKEN:
            return None
        self.exchanges += 1
        form = flask.request.form
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if self._challenges.pop(form.get("code", ""), None) == challenge:
            return None
        return flask.make_response({"error": "invalid_grant"}, 400)

    def _after(self, response: flask.Response) -> flask.Response:
        path = flask.request.path
        if path == AUTHORIZE and response.status_code == 302:
            code = parse_qs(urlsplit(response.location).query).get("code")
            if code and flask.request.args.get("code_challenge_method") == "S256":
                self._challenges[code[0]] = flask.request.args["code_challenge"]
        lies = {DISCOVERY: self.metadata, "/userinfo": self.userinfo}.get(path)
        if lies:
            response.set_data(json.dumps({**response.get_json(), **lies}))
        if path == TOKEN and self.forge and response.status_code == 200:
            body = response.get_json()
            payload = body["id_token"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            body["id_token"] = self.forge(claims, self)
            response.set_data(json.dumps(body))
        return response


def truly_signed(**changes: Any) -> Forge:
    """The provider's own signature on changed claims; None takes a claim away."""

    def forge(claims: dict[str, Any], _: OidcProvider) -> str:
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        key = RSAKey.import_key(storage.jwk.as_dict(is_private=True))
        return jwt.encode({"alg": "RS256", "kid": storage.jwk.as_dict().get("kid")}, changed, key)

    return forge


def signed_by_another(claims: dict[str, Any], _: OidcProvider) -> str:
    header = {"alg": "RS256", "kid": storage.jwk.as_dict().get("kid")}
    return jwt.encode(header, claims, RSAKey.generate_key(2048))


def signed_with_the_clients_secret(claims: dict[str, Any], provider: OidcProvider) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(provider.client_secret * 2))


def not_signed(claims: dict[str, Any], _: OidcProvider) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
    return ".".join([base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts] + [""])
