"""Signing in through the organisation: what works, and what must not."""

import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from chatbot.auth import COOKIE
from tests.service.chatbot.api.conftest import API_KEY, Serve
from tests.service.chatbot.api.oidc_browser import browser, chat_at, consent, leave, log_in
from tests.service.chatbot.oidc_provider import (
    QUIET,
    Forge,
    OidcProvider,
    not_signed,
    signed_by_another,
    signed_with_the_clients_secret,
    truly_signed,
)
from tests.service.chatbot.scripted import ScriptedEngine

pytestmark = QUIET


def refused(response: httpx.Response, status: int, text: str) -> bool:
    assert (response.status_code, text in response.text) == (status, True), response.text
    assert COOKIE not in response.headers.get("set-cookie", "")
    return True


async def test_a_person_signs_in_and_is_known_by_name(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        assert (await person.get("/api/sign-in")).json() == {"api_key": True, "organisation": True}
        response = await log_in(person, "kim")
        assert (response.status_code, response.headers["location"]) == (303, "/")
        session, attempt = response.headers.get_list("set-cookie")
        assert all(word in session for word in ("HttpOnly", "SameSite=lax", f"{COOKIE}=", "Max-Age=43200"))
        assert "aihub_login" in attempt
        assert "Max-Age=0" in attempt
        me = (await person.get("/api/me")).json()
        assert (me["auth"], me["name"], me["role"]) == ("session", "김하나", "admin")
        assert (await chat.get("/api/me")).json()["name"] is None
    (asked,) = {tuple(sorted(request.items())) for request in provider.asked}
    request = dict(asked)
    assert (request["response_type"], request["code_challenge_method"]) == ("code", "S256")
    assert len({request["state"], request["nonce"], request["code_challenge"]}) == 3
    assert request["scope"] == "openid profile email"  # this issuer knows no scope `groups`


async def test_one_comes_back_to_the_conversation_that_was_asked_for_and_to_nowhere_else(
    provider: OidcProvider, serve: Serve, tmp_path: Path
) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        response = await log_in(person, "kim", "?conversation=conv_0123456789abcdef")
        assert response.headers["location"] == "/#/c/conv_0123456789abcdef"
        for query in ("next=https://evil.example", "redirect_uri=https://evil.example", "return_to=//evil.example"):
            response = await log_in(person, "kim", f"?{query}")
            assert response.headers["location"] == "/"
        for value in ("//evil.example", "https://evil.example", "conv_0123456789abcdef/../x", "%0d%0aSet-Cookie:a=b"):
            assert (await person.get(f"/login/start?conversation={value}")).status_code == 400
    assert {request["redirect_uri"] for request in provider.asked} == {f"{chat.base_url}/login/callback"}


async def test_only_the_browser_that_left_can_come_back(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person, browser(chat) as victim:
        address = await consent(await leave(person), "kim")
        assert refused(await victim.get(address), 400, "cannot be finished")
        await leave(victim)
        assert refused(await victim.get(address), 400, "cannot be finished")
        state = parse_qs(urlsplit(address).query)["state"][0]
        own = {"Cookie": f"aihub_login={person.cookies['aihub_login']}"}
        for wrong in ("", "x", state[:-1] + ("A" if state[-1] != "A" else "B"), "상태"):
            assert refused(await person.get(address.replace(state, wrong), headers=own), 400, "cannot be finished")
        assert provider.exchanges == 0
        assert (await person.get(address, headers=own)).status_code == 303


async def test_an_answer_for_another_attempt_is_refused(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        address = await leave(person)
        nonce = parse_qs(urlsplit(address).query)["nonce"][0]
        back = await consent(address.replace(nonce, "another-nonce"), "kim")
        assert refused(await person.get(back), 400, "was refused")


async def test_a_code_works_once(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        back = await consent(await leave(person), "kim")
        cookie = {"Cookie": f"aihub_login={person.cookies['aihub_login']}"}
        assert (await person.get(back)).status_code == 303
        assert refused(await person.get(back), 400, "cannot be finished")
        assert refused(await person.get(back, headers=cookie), 400, "cannot be finished")


async def test_a_code_or_an_attempt_that_is_too_old_is_refused(
    provider: OidcProvider, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        back = await consent(await leave(person), "kim")
        provider.forget_codes()
        assert refused(await person.get(back), 400, "cannot be finished")
        back = await consent(await leave(person), "kim")
        # By then the browser itself would have forgotten the cookie.
        own = {"Cookie": f"aihub_login={person.cookies['aihub_login']}"}
        later = time.time() + 3600
        monkeypatch.setattr("chatbot.oidc.login.time.time", lambda: later)
        assert refused(await person.get(back, headers=own), 400, "cannot be finished")
    assert provider.exchanges == 1


@pytest.mark.parametrize(
    "forge",
    [
        signed_by_another,
        signed_with_the_clients_secret,
        not_signed,
        truly_signed(iss="https://another.example"),
        truly_signed(aud="another-client"),
        truly_signed(aud=["another-client", "third"]),
        lambda claims, provider: truly_signed(aud="another-client", azp=provider.client_id)(claims, provider),
        truly_signed(exp=1),
        truly_signed(exp=None),
        truly_signed(sub=None),
        truly_signed(nonce=None),
        truly_signed(azp="another-client"),
        lambda claims, provider: "no.token.atall",
        lambda claims, provider: "",
    ],
)
async def test_a_token_that_is_not_the_issuers_for_us_is_refused(
    provider: OidcProvider, serve: Serve, tmp_path: Path, forge: Forge
) -> None:
    provider.forge = forge
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        assert refused(await log_in(person, "kim"), 400, "was refused")
        assert (await person.get("/api/me")).status_code == 401
        metrics = (await chat.get("/metrics")).text
        assert 'chatbot_logins_total{outcome="invalid"} 1.0' in metrics


async def test_forged_claims_with_the_right_signature_would_pass(
    provider: OidcProvider, serve: Serve, tmp_path: Path
) -> None:
    """The forgeries above are refused for what is wrong with them, not for being made by a test."""
    provider.forge = truly_signed(name="Kim")
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        assert (await log_in(person, "kim")).status_code == 303
        assert (await person.get("/api/me")).json()["name"] == "Kim"


async def test_who_cancels_is_told_so(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        address = await leave(person)
        state = parse_qs(urlsplit(address).query)["state"][0]
        denied = f"/login/callback?error=access_denied&state={state}"
        assert refused(await person.get(denied), 403, "did not let you in")
        await leave(person)
        assert refused(await person.get(denied), 400, "cannot be finished")


@pytest.mark.parametrize(
    "user_group, admin_group, kim, lee",
    [
        (None, None, "admin", "admin"),
        ("staff", None, "admin", "admin"),
        (None, "admins", "user", "admin"),
        ("staff", "admins", "user", "admin"),
        ("others", "admins", None, "admin"),
        ("others", None, None, None),
        ("staf", "admin", None, None),
    ],
)
@pytest.mark.parametrize("told_in", ["id_token", "userinfo"])
async def test_groups_decide_who_may_come_and_who_administers(
    provider: OidcProvider,
    serve: Serve,
    tmp_path: Path,
    user_group: str | None,
    admin_group: str | None,
    kim: str | None,
    lee: str | None,
    told_in: str,
) -> None:
    if told_in == "userinfo":
        provider.forge = truly_signed(groups=None)
    groups = {"oidc_user_group": user_group, "oidc_admin_group": admin_group}
    async with chat_at(provider, serve, tmp_path, **groups) as chat:
        for subject, role, shown in (("kim", kim, "김하나"), ("lee", lee, "Lee &lt;b&gt;")):
            async with browser(chat) as person:
                response = await log_in(person, subject)
                if role:
                    assert (await person.get("/api/me")).json()["role"] == role
                else:
                    assert refused(response, 403, f"You are known as {shown}, but you are not a member")
                    assert (await person.get("/api/me")).status_code == 401


async def test_groups_of_somebody_else_do_not_count(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    provider.forge = truly_signed(groups=None)
    provider.userinfo = {"sub": "lee", "groups": ["admins"]}
    async with chat_at(provider, serve, tmp_path, oidc_admin_group="admins") as chat, browser(chat) as person:
        assert refused(await log_in(person, "kim"), 400, "was refused")


async def test_somebody_without_any_group_or_name(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    provider.add("nobody")
    async with chat_at(provider, serve, tmp_path, oidc_user_group="staff") as chat, browser(chat) as person:
        assert refused(await log_in(person, "nobody"), 403, "You are known as nobody")


async def test_without_an_issuer_nothing_of_it_is_there(serve: Serve, provider: OidcProvider) -> None:
    async with serve(ScriptedEngine()) as chat:
        assert (await chat.get("/api/sign-in")).json() == {"api_key": True, "organisation": False}
        for path in ("/login/start", "/login/callback?code=x&state=y"):
            assert (await chat.get(path)).status_code == 410
    assert provider.asked == []


async def test_signing_in_again_ends_the_session_before(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        await person.post("/api/sessions", json={"api_key": API_KEY})
        former = person.cookies[COOKIE]
        await log_in(person, "kim")
        assert (await person.get("/api/me")).json()["name"] == "김하나"
        assert (await person.get("/api/me", headers={"Cookie": f"{COOKIE}={former}"})).status_code == 401


async def test_signing_out_leads_to_the_issuers_own(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        await log_in(person, "kim")
        kept = person.cookies[COOKIE]
        response = await person.delete("/api/sessions")
        place = urlsplit(response.json()["end_session_url"])
        assert f"{place.scheme}://{place.netloc}{place.path}" == f"{provider.url}/oauth2/end_session"
        given = parse_qs(place.query)
        assert given["post_logout_redirect_uri"] == [f"{str(chat.base_url).rstrip('/')}/"]
        assert given["client_id"] == [provider.client_id]
        assert (await person.get("/api/me", headers={"Cookie": f"{COOKIE}={kept}"})).status_code == 401
        await person.post("/api/sessions", json={"api_key": API_KEY})
        assert (await person.delete("/api/sessions")).status_code == 204
