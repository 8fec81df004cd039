"""The service as a process, with a real issuer: its settings, and that no secret of a login is in its log."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.service.chatbot.oidc_provider import QUIET, OidcProvider
from tests.service.chatbot.servers import ChatbotProcess, Server, free_port
from tests.service.chatbot.test_process import AUTHORIZED, chatbot, refuse, secrets  # noqa: F401 - fixtures

pytestmark = QUIET
Start = Callable[..., ChatbotProcess]


def as_variables(provider: OidcProvider, folder: Path) -> dict[str, str]:
    given = provider.settings(folder / "client-secret")
    return {name.upper(): str(value) for name, value in given.items()}


def test_a_login_over_redis_survives_a_restart_and_leaves_no_secret_in_log_or_store(
    chatbot: Start,  # noqa: F811 - the fixture
    redis: Server,
    chroma: Server,
    tmp_path: Path,
) -> None:
    port = free_port()
    with OidcProvider(f"http://127.0.0.1:{port}/login/callback") as provider:
        provider.add("subject-canary", name="Kim", groups=["staff"])
        given = {
            "ROLE": "api",
            "PORT": str(port),
            "ENGINE_URL": "http://127.0.0.1:9/v1",
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
            "CHROMA_URL": f"http://127.0.0.1:{chroma.port}",
            "OIDC_USER_GROUP": "staff",
            **as_variables(provider, tmp_path),
        }
        first = chatbot(**given)
        first.start()
        with httpx.Client(base_url=first.url) as person:
            address = person.get("/login/start").headers["location"]
            attempt = person.cookies["aihub_login"]
            back = httpx.post(address, data={"sub": "subject-canary"}).headers["location"]
            refused = person.get(back.replace("state=", "state=x"))
            assert refused.status_code == 400
            response = person.get(back, headers={"Cookie": f"aihub_login={attempt}"})
            assert (response.status_code, response.headers["location"]) == (303, "/")
            person.post("/api/conversations", json={"title": "kept"})
            first.terminate()
            assert first.wait() == 0
            second = chatbot(**given)
            second.start()
            assert person.get("/api/me").json()["name"] == "Kim"
            assert [item["title"] for item in person.get("/api/conversations").json()["data"]] == ["kept"]
            assert httpx.get(f"{second.url}/api/conversations", headers=AUTHORIZED).json()["data"] == []
            session = person.cookies["aihub_session"]
        log = first.log.read_text() + second.log.read_text()
        sent = {**parse_qs(urlsplit(address).query), **parse_qs(urlsplit(back).query)}
        stored = "".join(path.read_text(errors="replace") for path in (tmp_path / "redis").rglob("*.aof"))
        assert '"route": "/login/callback"' in log
        assert '"failure": "stale"' in log
        assert '"name": "Kim"' in stored.replace('\\"', '"')
        for secret in (attempt, session, provider.client_secret, sent["state"][0], sent["nonce"][0], "subject-canary"):
            assert secret not in log
            assert secret not in stored
        assert sent["code"][0] not in log


def test_an_issuer_needs_its_companions(tmp_path: Path) -> None:
    common = {"ROLE": "all", "DATA_DIR": str(tmp_path), "API_KEY_SHA256_FILE": str(tmp_path / "hashes")}
    text = refuse(**common, OIDC_ISSUER="https://id.example.org")
    assert "CHATBOT_OIDC_CLIENT_ID, CHATBOT_OIDC_CLIENT_SECRET_FILE, CHATBOT_PUBLIC_URL is not set" in text
    text = refuse(**common, OIDC_CLIENT_ID="chat", OIDC_ADMIN_GROUP="admins")
    assert "CHATBOT_OIDC_ISSUER is not set, but CHATBOT_OIDC_CLIENT_ID, CHATBOT_OIDC_ADMIN_GROUP is" in text


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("OIDC_ISSUER", "http://id.example.org", "must begin with https://"),
        ("OIDC_ISSUER", "id.example.org", "must be a URL"),
        ("OIDC_ISSUER", "https://user:canary@id.example.org", "must be a URL"),
        ("PUBLIC_URL", "https://chat.example.org/chat", "must have no path"),
        ("PUBLIC_URL", "chat.example.org", "must be a URL"),
    ],
)
def test_a_wrong_address_is_named(tmp_path: Path, name: str, value: str, expected: str) -> None:
    given = {"OIDC_ISSUER": "https://id.example.org", "PUBLIC_URL": "https://chat.example.org", name: value}
    text = refuse(ROLE="all", DATA_DIR=str(tmp_path), API_KEY_SHA256_FILE="x", OIDC_CLIENT_ID="chat", **given)
    assert f"CHATBOT_{name}: {expected}" in text
    assert "canary" not in text


@pytest.mark.parametrize(
    "file, content, expected",
    [
        ("OIDC_CLIENT_SECRET_FILE", "", "is empty"),
        ("OIDC_CLIENT_SECRET_FILE", None, "cannot read"),
        ("OIDC_CA_FILE", "secret-canary", "holds no certificate in PEM"),
        ("OIDC_CA_FILE", None, "cannot read"),
    ],
)
def test_a_wrong_file_is_named(
    secrets: dict[str, str],  # noqa: F811 - the fixture
    tmp_path: Path,
    file: str,
    content: str | None,
    expected: str,
) -> None:
    path = tmp_path / "given"
    if content is not None:
        path.write_text(content)
    (tmp_path / "client-secret").write_text("secret-canary")
    files = {"OIDC_CLIENT_SECRET_FILE": str(tmp_path / "client-secret"), file: str(path)}
    given = {"OIDC_ISSUER": "https://id.example.org", "OIDC_CLIENT_ID": "chat", "PUBLIC_URL": "https://c.example.org"}
    text = refuse(ROLE="all", **secrets, DATA_DIR=str(tmp_path / "data"), **given, **files)
    assert f"CHATBOT_{file}" in text
    assert str(path) in text
    assert expected in text
    assert "canary" not in text
