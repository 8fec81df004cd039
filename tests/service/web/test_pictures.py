"""Pictures in a question: chosen, pasted, dropped, made small, sent, and shown again."""

import base64
import socket
from typing import Any

import pytest
from playwright.sync_api import Browser, JSHandle, Locator, Page, expect

from .conftest import NewPage
from .pictures import CLEAR, decode, jpeg_size, lying_jpeg, noise, png
from .stub import Answer, Refusal, StubService
from .test_chat import ask, message_field
from .test_page import CONTRASTS, PHONE

SMALL = png(40, 30)
ANSWER = "This is the answer."

File = tuple[str, str, bytes]
"""Name, media type, content."""


@pytest.fixture
def sighted(stub: StubService) -> StubService:
    """A service whose model sees pictures."""
    stub.images = True
    return stub


@pytest.fixture
def page(sighted: StubService, new_page: NewPage) -> Page:
    """A signed-in reader, English, on a desktop; the model sees pictures."""
    page = new_page()
    expect(page.get_by_role("button", name="Add a picture")).to_be_visible()
    return page


def choose(page: Page, *files: File) -> None:
    """Choose files, as behind the composer's button."""
    payloads: Any = [{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in files]
    page.locator("form input[type=file]").set_input_files(payloads)


def transfer(page: Page, *files: File, text: str = "", html: str = "") -> JSHandle:
    """What a paste or a drop carries."""
    packed = [[name, kind, base64.b64encode(content).decode()] for name, kind, content in files]
    return page.evaluate_handle(
        """([files, text, html]) => {
          const data = new DataTransfer();
          for (const [name, type, packed] of files) {
            const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
            data.items.add(new File([bytes], name, { type }));
          }
          if (text) data.setData("text/plain", text);
          if (html) data.setData("text/html", html);
          return data;
        }""",
        [packed, text, html],
    )


def paste(page: Page, data: JSHandle) -> bool:
    """Paste into the message; gives whether the browser goes on with it."""
    return bool(
        page.evaluate(
            """(clipboardData) => document.querySelector("#message").dispatchEvent(
              new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
            data,
        )
    )


def previews(page: Page) -> Locator:
    """The pictures that go with the draft."""
    return page.get_by_role("list", name="Pictures to send").get_by_role("img")


def shown(page: Page) -> Locator:
    """The pictures of the questions in the chat."""
    return page.get_by_role("log").get_by_role("list", name="Pictures").get_by_role("img")


def sent(stub: StubService, position: int = -1) -> list[str]:
    """The pictures of the last message of a request."""
    content = stub.chats[position]["messages"][-1]["content"]
    return [part["image_url"]["url"] for part in content if part["type"] == "image_url"]


@pytest.mark.parametrize("images", [False, None])
def test_a_model_that_reads_text_only_gets_no_pictures(
    new_page: NewPage, stub: StubService, images: bool | None
) -> None:
    stub.images = images
    page = new_page()
    with page.expect_response("**/api/me"):
        page.reload()
    expect(page.get_by_role("button", name="Use documents")).to_be_visible()
    expect(page.get_by_role("button", name="Add a picture")).to_have_count(0)
    picture = ("photo.png", "image/png", SMALL)
    assert paste(page, transfer(page, picture))
    page.dispatch_event("#message", "drop", {"dataTransfer": transfer(page, picture)})
    refused = page.get_by_role("dialog", name="Documents").get_by_text("photo.png is of a kind")
    expect(refused.first).to_be_visible()  # the other one is for screen readers
    expect(previews(page)).to_have_count(0)


def test_a_chosen_picture_goes_with_the_text_and_is_there_after_a_reload(page: Page, stub: StubService) -> None:
    choose(page, ("photo.png", "image/png", SMALL))
    expect(previews(page)).to_have_count(1)
    expect(message_field(page)).to_be_focused()
    ask(page, "What is it?")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    expect(previews(page)).to_have_count(0)
    url = f"data:image/png;base64,{base64.b64encode(SMALL).decode()}"
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    assert stub.chats[0]["messages"] == [{"role": "user", "content": parts}]
    for _ in range(2):
        expect(shown(page)).to_have_count(1)
        expect(shown(page)).to_have_attribute("alt", "Picture 1")
        expect(shown(page)).to_have_js_property("naturalWidth", 40)
        page.reload()


def test_pictures_go_without_text(page: Page, stub: StubService) -> None:
    send = page.get_by_role("button", name="Send")
    expect(send).to_be_disabled()
    choose(page, ("a.png", "image/png", SMALL), ("b.png", "image/png", png(10, 10)))
    expect(previews(page)).to_have_count(2)
    send.click()
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert [part["type"] for part in stub.chats[0]["messages"][0]["content"]] == ["image_url", "image_url"]
    expect(shown(page)).to_have_count(2)
    expect(page.get_by_role("log").locator("article").first.locator("p")).to_have_count(0)


def test_a_picture_is_pasted_but_the_text_of_a_table_is_text(page: Page, stub: StubService) -> None:
    picture = ("image.png", "image/png", SMALL)
    assert paste(page, transfer(page, picture, text="1\t2", html="<table>"))
    assert paste(page, transfer(page, text="words"))
    assert paste(page, transfer(page, ("notes.md", "text/markdown", b"text")))
    assert not paste(page, transfer(page, picture, html="<img>"))
    expect(previews(page)).to_have_count(1)
    ask(page, "What is it?")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert [decode(url) for url in sent(stub)] == [("image/png", SMALL)]


def test_dropped_pictures_go_to_the_message_and_documents_to_the_documents(page: Page, stub: StubService) -> None:
    data = transfer(page, ("photo.png", "image/png", SMALL), ("dropped.md", "text/markdown", b"text"))
    page.dispatch_event("#message", "dragenter", {"dataTransfer": data})
    expect(page.get_by_text("Drop: pictures go to your message")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/api/documents")):
        page.dispatch_event("#message", "drop", {"dataTransfer": data})
    expect(page.get_by_role("dialog", name="Documents").get_by_text("dropped.md", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(previews(page)).to_have_count(1)
    assert [item["name"] for item in stub.documents.values()] == ["dropped.md"]


def test_who_may_not_change_the_documents_still_drops_pictures(new_page: NewPage, sighted: StubService) -> None:
    sighted.me = {"name": "Kim", "role": "user"}
    page = new_page()
    expect(page.get_by_role("button", name="Add a picture")).to_be_visible()
    data = transfer(page, ("photo.png", "image/png", SMALL), ("notes.md", "text/markdown", b"text"))
    page.dispatch_event("#message", "dragenter", {"dataTransfer": data})
    expect(page.get_by_text("Drop to add pictures to your message")).to_be_visible()
    page.dispatch_event("#message", "drop", {"dataTransfer": data})
    expect(previews(page)).to_have_count(1)
    expect(page.get_by_text("notes.md is not a picture that can be read.")).to_be_visible()
    assert sighted.documents == {}


def test_what_is_too_large_is_made_small_before_it_is_sent(page: Page, stub: StubService) -> None:
    choose(
        page,
        ("large.png", "image/png", png(3000, 2000, CLEAR)),
        ("heavy.png", "image/png", noise(700, 500)),
        ("upright.jpg", "image/jpeg", lying_jpeg(page, 2000, 1000)),
        ("wrong.webp", "image/webp", SMALL),
    )
    expect(previews(page)).to_have_count(4)
    ask(page, "What are they?")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    large, heavy, upright, wrong = (decode(url) for url in sent(stub))
    assert [kind for kind, _ in (large, heavy, upright)] == ["image/jpeg"] * 3
    assert [jpeg_size(data) for _, data in (large, heavy, upright)] == [(1536, 1024), (700, 500), (768, 1536)]
    assert wrong == ("image/png", SMALL)
    corner = """(image) => {
      const context = new OffscreenCanvas(1, 1).getContext("2d");
      context.drawImage(image, 0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    }"""
    assert shown(page).first.evaluate(corner) == [255, 255, 255, 255]


@pytest.mark.parametrize(
    ("locale", "add", "refused", "too_many", "preview"),
    [
        ("en-US", "Add a picture", "notes.png is not a picture that can be read.", "f.png was left out", "Picture 1"),
        (
            "ko-KR",
            "이미지 추가",
            "notes.png: 읽을 수 있는 이미지가 아닙니다.",
            "f.png: 추가하지 못했습니다",
            "이미지 1",
        ),
    ],
)
def test_what_is_no_picture_or_one_too_many_is_refused_by_name(
    new_page: NewPage, sighted: StubService, locale: str, add: str, refused: str, too_many: str, preview: str
) -> None:
    page = new_page(locale=locale)
    expect(page.get_by_role("button", name=add)).to_be_visible()
    files = [(name, "image/png", SMALL) for name in ("a.png", "b.png", "c.png", "d.png", "f.png")]
    choose(page, ("notes.png", "image/png", b"words"), *files)
    expect(page.get_by_text(refused)).to_be_visible()
    expect(page.get_by_text(too_many)).to_be_visible()
    expect(page.locator("form").get_by_role("img")).to_have_count(4)
    expect(page.locator("form").get_by_role("img", name=preview)).to_be_visible()
    with page.expect_response("**/v1/chat/completions"):
        page.locator("#message").press("Enter")
    expect(page.get_by_text(refused)).to_have_count(0)
    assert len(sent(sighted)) == 4


def test_a_refusal_can_be_dismissed(page: Page) -> None:
    choose(page, ("notes.png", "image/png", b"words"))
    refused = page.get_by_text("notes.png is not a picture that can be read.")
    expect(refused).to_be_visible()
    page.get_by_role("button", name="Dismiss the notice").click()
    expect(refused).to_have_count(0)


def test_a_picture_is_added_removed_and_opened_with_the_keyboard(page: Page, stub: StubService) -> None:
    page.on("filechooser", lambda chooser: None)  # from now on: a listener may come too late for the key
    button = page.get_by_role("button", name="Add a picture")
    message_field(page).focus()
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    pictures: Any = [{"name": f"{side}.png", "mimeType": "image/png", "buffer": png(side, side)} for side in (20, 30)]
    chooser.value.set_files(pictures)
    expect(page.get_by_text("Pictures to send: 2")).to_be_attached()
    expect(message_field(page)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Remove picture 2")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(previews(page)).to_have_count(1)
    expect(previews(page)).to_have_js_property("naturalWidth", 30)
    expect(message_field(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert len(sent(stub)) == 1
    opener = page.get_by_role("log").get_by_role("button", name="Picture 1")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Picture 1")
    expect(dialog.get_by_role("img", name="Picture 1")).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_refused_question_keeps_its_pictures(page: Page, stub: StubService) -> None:
    stub.answer = lambda question: Answer(refusal=Refusal(400, "No.", "image_invalid"))
    choose(page, ("photo.png", "image/png", SMALL))
    expect(previews(page)).to_have_count(1)
    message_field(page).press("Enter")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("A picture could not be read.")
    expect(shown(page)).to_have_count(1)
    with page.expect_response("**/v1/chat/completions"):
        alert.get_by_role("button", name="Try again").click()
    expect(alert).to_be_visible()
    assert sent(stub, 1) == sent(stub, 0) != []
    alert.get_by_role("button", name="Edit the question").click()
    expect(previews(page)).to_have_count(1)
    expect(shown(page)).to_have_count(0)
    stub.answer = lambda question: Answer()
    ask(page, "And now?")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    assert sent(stub, 2) == sent(stub, 0)


def test_pictures_stay_with_their_conversation(new_page: NewPage, sighted: StubService) -> None:
    sighted.add_conversation("One", [{"role": "user", "content": "Q", "created_at": ""}])
    sighted.add_conversation("Two")
    page = new_page()
    page.get_by_role("link", name="One").click()
    choose(page, ("photo.png", "image/png", SMALL), ("notes.png", "image/png", b"words"))
    expect(page.get_by_text("notes.png is not a picture")).to_be_visible()
    page.get_by_role("link", name="Two").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(previews(page)).to_have_count(0)
    expect(page.get_by_text("notes.png is not a picture")).to_have_count(0)
    page.get_by_role("link", name="One").click()
    expect(previews(page)).to_have_count(1)


def test_a_picture_of_another_place_is_not_loaded(browser: Browser, stub: StubService) -> None:
    """The page's policy stands behind the service's word that it keeps `data:` URLs only."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.5)
        url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/pixel.png"
        item = stub.add_conversation("Odd", [{"role": "user", "content": "Look", "images": [url], "created_at": ""}])
        stub.sessions.add("signedin")
        context = browser.new_context(base_url=stub.url, locale="en-US")
        context.add_cookies([{"name": "aihub_session", "value": "signedin", "url": stub.url}])
        page = context.new_page()
        page.goto(f"/#/c/{item['id']}")
        expect(shown(page)).to_have_attribute("src", url)
        with pytest.raises(TimeoutError):
            elsewhere.accept()
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_fit_a_phone_and_their_texts_stand_out(new_page: NewPage, sighted: StubService, scheme: str) -> None:
    page = new_page(color_scheme=scheme, **PHONE)
    wide = ("wide.png", "image/png", png(1500, 100))
    choose(page, wide, wide)
    expect(previews(page)).to_have_count(2)
    ask(page, "What are they?")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    choose(page, wide, wide, wide, ("notes.png", "image/png", b"words"))
    expect(previews(page)).to_have_count(3)
    page.wait_for_timeout(300)  # colours change over 150 ms
    expect(page.get_by_text(ANSWER)).to_be_in_viewport()  # the end stays in sight while its place shrinks
    expect(page.get_by_role("button", name="Go to the latest message")).to_have_count(0)
    assert [item for item in page.evaluate(CONTRASTS) if item[0] < 4.5] == []
    width = "element => element.scrollWidth - element.clientWidth"
    assert page.locator("html").evaluate(width) <= 0
    assert page.locator("[role=log]").evaluate(f"log => ({width})(log.parentElement)") <= 0
    page.get_by_role("log").get_by_role("button", name="Picture 2").tap()
    dialog = page.get_by_role("dialog", name="Picture 2")
    expect(dialog.get_by_role("img")).to_be_in_viewport(ratio=1)
    dialog.get_by_role("button", name="Close").tap()
    expect(dialog).to_have_count(0)
