"""What is declared in Vault, written into a real one: who can read what."""

import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import hvac
import pytest

from infra.program import deploy
from infra.recorder import record
from tests.infra.support import CANARIES, CONFIGS, config_file
from tests.vault_real import real

pytestmark = pytest.mark.vault


class TokenReviews(BaseHTTPRequestHandler):
    """As much of an API server as Vault asks: it takes every token for what it says it is."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        claims = claims_of(review["spec"]["token"])
        named = claims["kubernetes.io"]
        good = sorted({*claims["aud"]} & {*review["spec"].get("audiences", ["kubernetes"])})
        user = f"system:serviceaccount:{named['namespace']}:{named['serviceaccount']['name']}"
        status = {"authenticated": bool(good), "user": {"username": user, "uid": "1"}, "audiences": good}
        text = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(part if isinstance(part, bytes) else json.dumps(part).encode()).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def token_of(account: str, namespace: str, audience: str) -> str:
    """Return a token as Kubernetes writes them; its signature is what Vault leaves to the API server."""
    named = {"namespace": namespace, "serviceaccount": {"name": account, "uid": "1"}}
    now = int(time.time())
    times = {"iat": now - 10, "nbf": now - 10, "exp": now + 600}
    claims = {"aud": [audience], "iss": "https://kubernetes", "kubernetes.io": named, **times}
    return ".".join((encoded({"alg": "RS256", "kid": "1"}), encoded(claims), encoded(b"x" * 256)))


@dataclass(frozen=True)
class Declared:
    """A Vault with the policies and roles of a configuration."""

    address: str

    def login(self, role: str, account: str, namespace: str, audience: str = "vault") -> hvac.Client:
        client = hvac.Client(url=self.address)
        client.auth.kubernetes.login(role=role, jwt=token_of(account, namespace, audience))
        return client

    def readable(self, client: hvac.Client, *paths: str) -> list[str]:
        """Return which entries a client can read."""
        found = []
        for path in paths:
            try:
                client.adapter.get(f"/v1/secret/data/{path}")
            except hvac.exceptions.Forbidden:
                continue
            found.append(path)
        return found


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


@pytest.fixture(scope="module")
def vault() -> Iterator[Declared]:
    reviews = ThreadingHTTPServer(("127.0.0.1", 0), TokenReviews)
    threading.Thread(target=reviews.serve_forever, args=(0.02,), daemon=True).start()
    config = config_file(CONFIGS / "valid" / "aipp-by-vaults-agent.yaml")
    config["aihub:secrets"]["vault"]["access"]["ownsStore"] = True
    resources = record(deploy, stack="test", config=config, secrets=CANARIES).resources
    with real() as (address, token):
        root = hvac.Client(url=address, token=token)
        root.sys.enable_auth_method("kubernetes")
        root.adapter.post(
            "/v1/auth/kubernetes/config",
            json={
                "kubernetes_host": f"http://127.0.0.1:{reviews.server_address[1]}",
                "token_reviewer_jwt": token_of("vault", "vault", "kubernetes"),
                "disable_local_ca_jwt": True,
            },
        )
        for each in resources:
            its = {snake(key): value for key, value in each.properties.items()}
            if each.type == "vault:index/policy:Policy":
                root.sys.create_or_update_policy(its["name"], its["policy"])
            elif each.type == "vault:kubernetes/authBackendRole:AuthBackendRole":
                root.adapter.post(f"/v1/auth/kubernetes/role/{its.pop('role_name')}", json=its)
        for path in (*PACKAGE, "aihub", "aihub/below", "aihub2"):
            root.secrets.kv.v2.create_or_update_secret(path, {"redisPassword": "canary"})
        yield Declared(address)
    reviews.shutdown()


PACKAGE = ("aipp/pgvector", "aipp/redis", "aipp/rabbitmq")


def test_external_secrets_reads_the_listed_entries_and_no_others(vault: Declared) -> None:
    client = vault.login("aihub", "external-secrets", "external-secrets")
    assert vault.readable(client, "aihub", *PACKAGE, "aihub/below", "aihub2", "first") == ["aihub", *PACKAGE]
    for method, path in (
        ("post", "data/aihub"),
        ("list", "metadata"),
        ("get", "subkeys/aihub"),
        ("delete", "data/aihub"),
    ):
        with pytest.raises(hvac.exceptions.Forbidden):
            client.adapter.request(method, f"/v1/secret/{path}", json={"data": {}} if method == "post" else None)


@pytest.mark.parametrize(
    ("account", "namespace", "audience", "refusal"),
    [
        ("default", "external-secrets", "vault", "account name not authorized"),
        ("external-secrets", "aipp", "vault", "namespace not authorized"),
        ("external-secrets", "external-secrets", "kubernetes", "invalid audience"),
    ],
    ids=["another account", "another namespace", "a token for the API server"],
)
def test_nobody_else_gets_the_role(vault: Declared, account: str, namespace: str, audience: str, refusal: str) -> None:
    with pytest.raises(hvac.exceptions.Forbidden, match=refusal):
        vault.login("aihub", account, namespace, audience)


def test_a_pods_agent_reads_its_own_entries(vault: Declared) -> None:
    redis = vault.login("aihub-aipp-redis", "redis", "aipp")
    assert vault.readable(redis, "aihub", *PACKAGE) == ["aipp/redis"]
    linker = vault.login("aihub-aipp-enai-linker", "enai-linker", "aipp")
    assert vault.readable(linker, "aihub", *PACKAGE) == ["aipp/pgvector", "aipp/rabbitmq"]
    with pytest.raises(hvac.exceptions.Forbidden, match="account name not authorized"):
        vault.login("aihub-aipp-redis", "enai-linker", "aipp")
