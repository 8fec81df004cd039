"""What is one's own and what all share: conversations, documents, logins."""

from pathlib import Path

import httpx

from tests.service.chatbot.api.conftest import API_KEY, Serve
from tests.service.chatbot.api.events import question
from tests.service.chatbot.api.oidc_browser import browser, chat_at, log_in
from tests.service.chatbot.oidc_provider import QUIET, OidcProvider

pytestmark = QUIET
CHAT = "/v1/chat/completions"


async def titles(who: httpx.AsyncClient) -> list[str]:
    return [item["title"] for item in (await who.get("/api/conversations")).json()["data"]]


async def test_a_conversation_is_there_for_whom_it_belongs_to_only(
    provider: OidcProvider, serve: Serve, tmp_path: Path
) -> None:
    async with chat_at(provider, serve, tmp_path) as key, browser(key) as kim, browser(key) as lee:
        await log_in(kim, "kim")
        await log_in(lee, "lee")
        made = {}
        for who, title in ((kim, "Kim's"), (lee, "Lee's"), (key, "the key's")):
            made[title] = (await who.post("/api/conversations", json={"title": title})).json()
            assert "owner" not in made[title]
            answer = await who.post(CHAT, json=question("Hello?", conversation_id=made[title]["id"]))
            assert answer.status_code == 200, answer.text
        assert (await titles(kim), await titles(lee), await titles(key)) == (["Kim's"], ["Lee's"], ["the key's"])
        for who, own in ((kim, "Kim's"), (lee, "Lee's"), (key, "the key's")):
            for title, conversation in made.items():
                path = f"/api/conversations/{conversation['id']}"
                status = 200 if title == own else 404
                assert (await who.get(path)).status_code == status
                assert (await who.patch(path, json={"title": title})).status_code == status
                chat = await who.post(CHAT, json=question("And?", conversation_id=conversation["id"]))
                assert chat.status_code == status
                if title != own:
                    assert (await who.delete(path)).status_code == 404
            shown = (await who.get(f"/api/conversations/{made[own]['id']}")).json()
            assert [message["content"] for message in shown["messages"]][::2] == ["Hello?", "And?"]
        lees = made["Lee's"]
        its_path = f"/api/conversations/{lees['id']}"
        assert (await lee.delete(its_path)).status_code == 204
        assert (await titles(kim), await titles(lee), await titles(key)) == (["Kim's"], [], ["the key's"])


async def test_a_session_of_the_key_shares_the_keys_conversations(
    provider: OidcProvider, serve: Serve, tmp_path: Path
) -> None:
    async with chat_at(provider, serve, tmp_path) as key, browser(key) as browsing:
        await browsing.post("/api/sessions", json={"api_key": API_KEY})
        await browsing.post("/api/conversations", json={"title": "from the page"})
        assert await titles(key) == await titles(browsing) == ["from the page"]


async def test_the_same_person_finds_their_conversations_in_another_browser(
    provider: OidcProvider, serve: Serve, tmp_path: Path
) -> None:
    async with chat_at(provider, serve, tmp_path) as key, browser(key) as desk, browser(key) as phone:
        await log_in(desk, "kim")
        await desk.post("/api/conversations", json={"title": "begun at the desk"})
        await log_in(phone, "kim")
        assert await titles(phone) == ["begun at the desk"]


async def test_documents_are_for_all_and_changed_by_some(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    groups = {"oidc_user_group": "staff", "oidc_admin_group": "admins"}
    async with chat_at(provider, serve, tmp_path, **groups) as key, browser(key) as kim, browser(key) as lee:
        await log_in(kim, "kim")
        await log_in(lee, "lee")
        file = {"file": ("a.md", b"Annual leave is fifteen days.")}
        refused = await kim.post("/api/documents", files=file)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "admin_needed")
        document = (await lee.post("/api/documents", files=file)).json()
        assert [item["name"] for item in (await kim.get("/api/documents")).json()["data"]] == ["a.md"]
        assert (await kim.delete(f"/api/documents/{document['id']}")).status_code == 403
        assert (await key.delete(f"/api/documents/{document['id']}")).status_code == 204


async def test_a_person_makes_no_one_time_logins(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as key, browser(key) as lee:
        await log_in(lee, "lee")
        assert (await lee.post("/api/logins")).status_code == 403
