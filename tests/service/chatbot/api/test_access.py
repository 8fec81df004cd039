"""Who gets in: every route, both roles."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from chatbot.api.dependencies import Collaborators
from chatbot.api.limits import MAX_CHAT_BYTES
from chatbot.app import build_app
from chatbot.auth import COOKIE, KeyRing
from chatbot.settings import Settings
from chatbot.telemetry import Metrics
from tests.service.chatbot.api.conftest import API_KEY, Built, Serve, sha256
from tests.service.chatbot.api.events import question
from tests.service.chatbot.scripted import ScriptedEngine
from tests.service.chatbot.servers import serving

OPEN = {
    ("GET", "/"),
    ("GET", "/favicon.svg"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/login/{ticket}"),
    ("GET", "/api/sign-in"),
    ("POST", "/api/sessions"),
}


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(app.routes):
        if route.path:
            yield from ((method, route.path) for method in route.methods or {"GET"})


async def open_routes(app: FastAPI, client: httpx.AsyncClient) -> set[tuple[str, str]]:
    found = set()
    for method, path in routes(app):
        response = await client.request(method, path.translate({ord("{"): None, ord("}"): None}))
        if response.status_code != 401:
            found.add((method, path))
    return found


async def test_every_route_of_the_api_needs_the_key_but_for_the_list(built: Built) -> None:
    async with serving(built.app) as url, httpx.AsyncClient(base_url=url) as anonymous:
        assert await open_routes(built.app, anonymous) == OPEN
        assert (await anonymous.get("/assets/missing.js")).status_code == 404
        assert (await anonymous.get("/nowhere")).status_code == 401
    assert len(set(routes(built.app))) > 18


async def test_every_route_of_the_engine_needs_its_key_but_for_health(settings: Settings) -> None:
    app = build_app(settings, Collaborators(ScriptedEngine(), KeyRing([sha256("engine-key")]), Metrics(), None))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as anonymous:
        assert await open_routes(app, anonymous) == {("GET", "/livez"), ("GET", "/readyz")}
        for path in ("/", "/login/x", "/assets/x.js"):
            assert (await anonymous.get(path)).status_code == 401
        assert (await anonymous.get("/v1/models", headers={"Authorization": "Bearer engine-key"})).is_success


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer", "Basic YTpi", API_KEY, f"Bearer {API_KEY}x", "Bearer ключ"]
)
async def test_a_wrong_key_is_refused_in_openais_form(client: httpx.AsyncClient, header: str) -> None:
    response = await client.get("/v1/models", headers={"Authorization": header.encode()})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.json()["error"]["type"] == "authentication_error"


@asynccontextmanager
async def signed_in(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of its own with a session."""
    async with httpx.AsyncClient(base_url=client.base_url) as browser:
        response = await browser.post("/api/sessions", json={"api_key": API_KEY})
        assert response.status_code == 204, response.text
        cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert API_KEY not in cookie
        yield browser


async def test_signing_in_with_the_key_and_out_again(client: httpx.AsyncClient) -> None:
    async with signed_in(client) as browser:
        assert (await browser.get("/api/me")).json()["auth"] == "session"
        kept = browser.cookies[COOKIE]
        assert (await browser.delete("/api/sessions")).status_code == 204
        assert (await browser.get("/api/me")).status_code == 401
        assert (await client.get("/api/me")).json()["auth"] == "key"
        stolen = await browser.get("/api/me", headers={"Cookie": f"{COOKIE}={kept}"})
        assert stolen.status_code == 401


async def test_a_wrong_key_opens_no_session(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/sessions", json={"api_key": "wrong"}, headers={"Authorization": ""})
    assert response.status_code == 401
    assert "set-cookie" not in response.headers


async def test_a_one_time_login_opens_one_session(client: httpx.AsyncClient) -> None:
    login = (await client.post("/api/logins")).json()
    assert login["expires_at"].endswith("Z")
    async with httpx.AsyncClient(base_url=client.base_url) as browser:
        response = await browser.get(login["path"])
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert (await browser.get("/api/me")).json()["auth"] == "session"
        again = await browser.get(login["path"])
        assert again.status_code == 410
        assert "not valid any more" in again.text
        assert "set-cookie" not in again.headers


async def test_a_session_makes_no_logins(client: httpx.AsyncClient) -> None:
    async with signed_in(client) as browser:
        assert (await browser.post("/api/logins")).status_code == 403


async def test_the_cookie_is_for_tls_only_behind_an_ingress_with_tls(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/api/sessions", json={"api_key": API_KEY}, headers={"X-Forwarded-Proto": "https", "Authorization": ""}
    )
    assert "Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize(
    "headers, status",
    [
        ({}, 201),
        ({"Origin": "{own}"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "{own}", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_another_site_cannot_write_with_the_cookie(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    own = str(client.base_url).rstrip("/")
    sent = {name: value.format(own=own) for name, value in headers.items()}
    async with signed_in(client) as browser:
        assert (await browser.post("/api/conversations", headers=sent)).status_code == status


async def test_another_site_cannot_sign_a_browser_in(client: httpx.AsyncClient) -> None:
    body, evil = {"api_key": API_KEY}, {"Origin": "https://evil.example", "Authorization": ""}
    assert (await client.post("/api/sessions", json=body, headers=evil)).status_code == 403
    form = await client.post(
        "/api/sessions", content='{"api_key": "x"}', headers={"Content-Type": "text/plain", "Authorization": ""}
    )
    assert form.status_code == 400


async def test_every_response_has_an_id_and_the_headers_of_a_closed_page(client: httpx.AsyncClient) -> None:
    for path, headers in (("/", {}), ("/api/me", {}), ("/nowhere", {}), ("/api/me", {"Authorization": ""})):
        response = await client.get(path, headers=headers)
        assert len(response.headers["x-request-id"]) == 32
        assert response.headers["content-security-policy"].startswith("default-src 'self'")
        assert "unsafe" not in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"


async def test_a_page_that_is_not_built_says_so(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers={"Authorization": ""})
    assert (page.status_code, "not built" in page.text) == (503, True)


async def test_the_page_and_its_files_are_served(settings: Settings, serve: Serve) -> None:
    (settings.web_dir / "assets").mkdir(parents=True)
    (settings.web_dir / "index.html").write_text("<p>the page</p>")
    (settings.web_dir / "assets" / "index-1a2b.js").write_text("1")
    (settings.web_dir.parent / "secret.txt").write_text("secret")
    async with serve(ScriptedEngine()) as client:
        assert (await client.get("/", headers={"Authorization": ""})).text == "<p>the page</p>"
        asset = await client.get("/assets/index-1a2b.js", headers={"Authorization": ""})
        assert "immutable" in asset.headers["cache-control"]
        for path in ("/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"):
            assert "secret" not in (await client.get(path)).text


async def test_errors_have_one_form(client: httpx.AsyncClient) -> None:
    cases = [
        (await client.get("/nowhere"), 404),
        (await client.put("/api/conversations"), 405),
        (await client.get("/api/conversations/../../etc"), 404),
        (await client.get("/api/conversations/conv_zz"), 400),
        (await client.get("/api/conversations/conv_0123456789abcdef"), 404),
        (await client.post("/v1/chat/completions", content=b"{", headers={"Content-Type": "application/json"}), 400),
        (await client.post("/v1/chat/completions", json=question("x" * MAX_CHAT_BYTES)), 413),
    ]
    for response, status in cases:
        assert response.status_code == status
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


async def test_a_request_that_hides_its_size_is_refused(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 100

    response = await client.post("/v1/chat/completions", content=chunks())
    assert (response.status_code, response.json()["error"]["code"]) == (411, "length_required")


async def test_an_unexpected_fault_is_told_without_its_details(
    client: httpx.AsyncClient, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("internal canary")

    monkeypatch.setattr(scripted, "describe", broken)
    response = await client.get("/v1/models")
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "server_error"
    assert "x-request-id" in response.headers
    assert "content-security-policy" in response.headers
    assert "canary" not in response.text


async def test_metrics_need_the_key_on_the_main_port(client: httpx.AsyncClient) -> None:
    await client.post("/v1/chat/completions", json=question())
    assert (await client.get("/metrics", headers={"Authorization": ""})).status_code == 401
    text = (await client.get("/metrics")).text
    assert 'vllm:request_success_total{finished_reason="stop",model_name="scripted"} 1.0' in text
    assert 'vllm:generation_tokens_total{model_name="scripted"} 3.0' in text
    assert 'vllm:num_requests_running{model_name="scripted"} 0.0' in text
    assert 'route="/v1/chat/completions"' in text
    assert 'chatbot_answers_total{outcome="complete"} 1.0' in text
    assert "chatbot_time_to_first_token_seconds_count 1.0" in text
    assert 'chatbot_retrieval_passages_bucket{le="0.0"} 1.0' in text
    assert "process_resident_memory_bytes" in text


async def test_answers_that_fail_and_readers_who_leave_are_counted_apart(
    client: httpx.AsyncClient, scripted: ScriptedEngine
) -> None:
    body = question() | {"stream": True}
    scripted.break_after = 1
    assert (await client.post("/v1/chat/completions", json=body)).status_code == 200
    scripted.break_after, scripted.pause_seconds = None, 0.2
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        await anext(response.aiter_lines())
    await scripted.was_cancelled.wait()
    scripted.pause_seconds, scripted.failure = 0, "gone"
    assert (await client.post("/v1/chat/completions", json=body)).status_code == 503
    scripted.failure, scripted.fits = None, lambda request: False
    assert (await client.post("/v1/chat/completions", json=body)).status_code == 400
    missing = question(conversation_id="conv_0123456789abcdef")
    assert (await client.post("/v1/chat/completions", json=missing)).status_code == 404
    text = (await client.get("/metrics")).text
    counted = {line.split('"')[1]: line.split()[-1] for line in text.splitlines() if "chatbot_answers_total{" in line}
    assert counted == {"failed": "2.0", "interrupted": "1.0"}
    reasons = {line.split('"')[1]: line.split()[-1] for line in text.splitlines() if "request_success_total{" in line}
    assert reasons == {"error": "2.0", "abort": "1.0"}


async def test_health(client: httpx.AsyncClient, scripted: ScriptedEngine) -> None:
    assert (await client.get("/livez", headers={"Authorization": ""})).status_code == 200
    ready = await client.get("/readyz", headers={"Authorization": ""})
    assert ready.json() == {"checks": {"engine": "ok", "history": "ok", "documents": "ok"}}
    scripted.failure = "gone"
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["engine"]) == (200, "unavailable")
    me = (await client.get("/api/me")).json()
    assert (me["model"]["id"], me["services"]["engine"]) == ("unknown", "unavailable")


async def test_an_engine_that_is_beyond_help_is_neither_ready_nor_alive(settings: Settings) -> None:
    engine = ScriptedEngine()
    app = build_app(settings, Collaborators(engine, KeyRing([]), Metrics(), None))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/readyz")).status_code == (await client.get("/livez")).status_code == 200
        engine.failure = "the accelerator failed"
        assert (await client.get("/readyz")).status_code == (await client.get("/livez")).status_code == 503
