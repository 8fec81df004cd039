"""The page around the chat: sign-in, conversations, documents, languages, colours, small screens."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import NewPage
from .stub import API_KEY, Answer, StubService
from .test_chat import ask, citation, message_field

PHONE: dict[str, Any] = {"viewport": {"width": 375, "height": 700}, "is_mobile": True, "has_touch": True}


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Choose files in the open documents panel."""
    payloads: Any = [{"name": name, "mimeType": "text/plain", "buffer": content} for name, content in files]
    page.locator("input[type=file]").set_input_files(payloads)


def test_a_key_signs_in_and_signing_out_ends_it(new_page: NewPage, stub: StubService) -> None:
    page = new_page(signed_in=False)
    field = page.get_by_label("API key")
    expect(field).to_be_focused()
    field.fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This key is not accepted.")
    field.fill(f" {API_KEY}\n")
    page.get_by_role("button", name="Sign in").click()
    expect(message_field(page)).to_be_focused()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_have_value("")
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()
    assert API_KEY not in page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")


@pytest.mark.parametrize(
    ("locale", "label"), [("en-US", "Sign in with your organisation"), ("ko-KR", "조직 계정으로 로그인")]
)
def test_one_signs_in_with_the_organisation_and_finds_the_conversation_asked_for(
    new_page: NewPage, stub: StubService, locale: str, label: str
) -> None:
    stub.organisation = True
    item = stub.add_conversation("Asked for")
    item["id"] = "conv_0123456789abcdef"
    stub.conversations = {item["id"]: item}
    page = new_page(signed_in=False, address=f"/#/c/{item['id']}", locale=locale)
    page.get_by_role("link", name=label).click()
    expect(page.get_by_role("heading", name="Asked for")).to_be_visible()
    expect(page.locator("aside")).to_contain_text("Kim")


def test_without_an_organisation_the_key_is_the_only_way(new_page: NewPage) -> None:
    page = new_page(signed_in=False)
    expect(page.get_by_label("API key")).to_be_focused()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("link", name="Sign in with your organisation")).to_have_count(0)


def test_after_the_session_ended_the_organisation_is_in_another_tab_and_what_was_typed_stays(
    new_page: NewPage, stub: StubService
) -> None:
    stub.organisation = True
    stub.me = {"name": "Kim", "role": "admin"}
    page = new_page()
    message_field(page).fill("Half a question")
    stub.sessions.clear()
    # The page notices by itself, at the latest when somebody looks at it again.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    dialog = page.get_by_role("dialog", name="Sign in")
    with page.context.expect_page() as opened:
        dialog.get_by_role("link", name="Sign in with your organisation").click()
    expect(message_field(opened.value)).to_be_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(dialog).to_have_count(0)
    expect(message_field(page)).to_have_value("Half a question")


def test_when_somebody_else_signs_in_the_page_begins_anew(new_page: NewPage, stub: StubService) -> None:
    stub.me = {"name": "Lee", "role": "admin"}
    page = new_page()
    message_field(page).fill("Lee's question")
    stub.me = {"name": "Kim", "role": "admin"}
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("aside")).to_contain_text("Signed in as Kim")
    expect(message_field(page)).to_have_value("")


def test_who_may_not_change_the_documents_sees_them_only(new_page: NewPage, stub: StubService) -> None:
    stub.me = {"name": "Kim", "role": "user"}
    stub.add_document("guide.md")
    page = new_page()
    page.get_by_role("button", name="Documents").first.click()
    sheet = page.get_by_role("dialog", name="Documents")
    expect(sheet.get_by_text("guide.md")).to_be_visible()
    expect(sheet.get_by_text("Only administrators can add or delete documents here.")).to_be_visible()
    expect(sheet.get_by_role("button", name="choose files")).to_have_count(0)
    expect(sheet.get_by_role("button", name="Delete guide.md")).to_have_count(0)


def test_a_service_that_does_not_answer_can_be_tried_again(new_page: NewPage) -> None:
    page = new_page()
    page.route("**/api/me", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("The service does not answer.")).to_be_visible()
    page.unroute("**/api/me")
    page.get_by_role("button", name="Try again").click()
    expect(message_field(page)).to_be_visible()


def test_a_conversation_survives_a_reload_and_has_an_address(page: Page, stub: StubService) -> None:
    ask(page, "Where is it?")
    expect(page.get_by_role("link", name="Where is it?")).to_have_attribute("aria-current", "page")
    expect(page).to_have_url(re.compile(r"#/c/conv_"))
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")
    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(message_field(page)).to_be_focused()
    page.go_back()
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")


def test_a_draft_stays_with_its_conversation(new_page: NewPage, stub: StubService) -> None:
    stub.add_conversation("One", [{"role": "user", "content": "Q", "created_at": ""}])
    stub.add_conversation("Two")
    page = new_page()
    page.get_by_role("link", name="One").click()
    message_field(page).fill("Half a question")
    page.get_by_role("link", name="Two").click()
    expect(message_field(page)).to_have_value("")
    page.get_by_role("link", name="One").click()
    expect(message_field(page)).to_have_value("Half a question")


def test_a_conversation_is_renamed(new_page: NewPage, stub: StubService) -> None:
    item = stub.add_conversation("Old name")
    page = new_page()
    page.get_by_role("button", name="Rename Old name").click()
    field = page.get_by_role("textbox", name="Name of the conversation")
    field.fill("Not this")
    field.press("Escape")
    expect(page.get_by_role("link", name="Old name")).to_be_visible()
    page.get_by_role("button", name="Rename Old name").click()
    field.fill("새 이름")
    with page.expect_response(f"**/api/conversations/{item['id']}"):  # the page shows the new name before it is kept
        field.press("Enter")
    expect(page.get_by_role("button", name="Rename 새 이름")).to_be_focused()
    assert item["title"] == "새 이름"


def test_a_conversation_is_deleted_only_after_a_question(new_page: NewPage, stub: StubService) -> None:
    item = stub.add_conversation("Secret plans")
    page = new_page(address=f"/#/c/{item['id']}")
    delete = page.get_by_role("button", name="Delete Secret plans")
    delete.click()
    dialog = page.get_by_role("dialog", name="Delete this conversation?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert item["id"] in stub.conversations
    delete.click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="Secret plans")).to_have_count(0)
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    assert stub.conversations == {}


def test_an_address_of_a_conversation_that_is_gone_says_so(new_page: NewPage) -> None:
    page = new_page(address="/#/c/conv_gone")
    expect(page.get_by_text("This conversation no longer exists.")).to_be_visible()


def test_documents_are_added_refused_by_name_and_deleted(page: Page, stub: StubService) -> None:
    page.get_by_role("button", name="Add documents").click()
    sheet = page.get_by_role("dialog", name="Documents")
    upload(page, ("photo.png", b"x"), ("empty.md", b""), ("안내서.md", b"text"))
    expect(sheet.get_by_role("listitem").filter(has_text="안내서.md")).to_contain_text("4 B · passages: 3")
    expect(sheet.get_by_text("photo.png is of a kind that cannot be read.")).to_be_visible()
    expect(sheet.get_by_text("empty.md is empty.").first).to_be_visible()
    sheet.get_by_role("button", name="Dismiss the message about empty.md").click()
    expect(sheet.get_by_role("button", name="Dismiss the message about empty.md")).to_have_count(0)
    sheet.get_by_role("button", name="Delete 안내서.md").click()
    page.get_by_role("dialog", name="Delete this document?").get_by_role("button", name="Delete").click()
    expect(sheet.get_by_text("No documents yet.")).to_be_visible()
    assert stub.documents == {}


def test_a_file_can_be_dropped_anywhere(page: Page, stub: StubService) -> None:
    expect(message_field(page)).to_be_visible()
    transfer = page.evaluate_handle(
        "() => { const data = new DataTransfer(); data.items.add(new File(['text'], 'dropped.md')); return data }"
    )
    page.dispatch_event("#message", "dragenter", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to add to your documents")).to_be_visible()
    # The list shows the name before the service has the file.
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/api/documents")):
        page.dispatch_event("#message", "drop", {"dataTransfer": transfer})
    expect(page.get_by_role("dialog", name="Documents").get_by_text("dropped.md", exact=True)).to_be_visible()
    assert [item["name"] for item in stub.documents.values()] == ["dropped.md"]


@pytest.mark.parametrize(
    ("locale", "lang", "send"), [("ko-KR", "ko", "보내기"), ("en-GB", "en", "Send"), ("fr", "en", "Send")]
)
def test_the_language_is_the_readers(new_page: NewPage, locale: str, lang: str, send: str) -> None:
    page = new_page(locale=locale)
    expect(page.get_by_role("button", name=send)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == lang


def test_a_chosen_language_is_remembered(page: Page) -> None:
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("heading", name="무엇이 궁금하세요?")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="무엇이 궁금하세요?")).to_be_visible()


def test_light_and_dark_follow_the_system_until_one_is_chosen(new_page: NewPage) -> None:
    page = new_page(color_scheme="dark")
    expect(message_field(page)).to_be_visible()
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light").click()
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    expect(message_field(page)).to_be_visible()
    assert page.evaluate(ground) == light


CONTRASTS = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92
    : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  return [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility({ opacityProperty: true })
    && !e.disabled && !e.matches(".sr-only, .sr-only *")
    && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).map((e) => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.trim().slice(0, 40)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(new_page: NewPage, stub: StubService, scheme: str) -> None:
    stub.services["documents"] = "unavailable"
    stub.add_conversation("Another")
    text = "So [1]. `code`\n\n> quoted\n\n```sh\nls\n```\n\n[link](https://example.org)\n\n|a|\n|-|\n|b|"
    stub.answer = lambda question: Answer(pieces=[text], citations=[citation(1, "a.md")], cut=True)
    page = new_page(color_scheme=scheme)
    ask(page, "How?")
    expect(page.get_by_role("alert")).to_be_visible()
    page.wait_for_timeout(300)  # colours change over 150 ms
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 25
    assert [item for item in contrasts if item[0] < 4.5] == []


def test_on_a_phone_everything_fits_and_the_conversations_are_behind_a_button(
    new_page: NewPage, stub: StubService
) -> None:
    stub.add_conversation("Find me")
    stub.answer = lambda question: Answer(pieces=["x" * 400, "\n\n```\n", "y" * 400, "\n```\n\n|a|b|\n|-|-|\n|1|2|"])
    page = new_page(**PHONE)
    ask(page, "How?")
    expect(page.locator(".code")).to_be_visible()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    assert (
        page.locator("[role=log]").evaluate("log => log.parentElement.scrollWidth - log.parentElement.clientWidth") <= 0
    )
    link = page.get_by_role("link", name="Find me")
    expect(link).not_to_be_in_viewport()
    expect(page.locator("aside")).to_have_js_property("inert", True)
    page.get_by_role("button", name="Open the conversations").tap()
    expect(page.get_by_role("button", name="Close the conversations")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Open the conversations")).to_be_focused()
    page.get_by_role("button", name="Open the conversations").tap()
    link.tap()
    expect(page.get_by_role("heading", name="Find me")).to_be_visible()
    expect(link).not_to_be_in_viewport()
