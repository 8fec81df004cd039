"""Chat: streaming, stopping, sources, failures."""

import threading
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import NewPage
from .stub import API_KEY, Answer, Refusal, StubService


def message_field(page: Page) -> Any:
    """Where a question is typed."""
    return page.get_by_role("textbox", name="Message")


def ask(page: Page, question: str) -> None:
    """Type a question and press Enter, once the answer before has ended."""
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    message_field(page).fill(question)
    page.keyboard.press("Enter")


def citation(index: int, title: str) -> dict[str, Any]:
    """One entry of `citations`."""
    passage = f"Passage {index}\n<script>alert({index})</script>"
    return {
        "index": index,
        "document_id": f"doc_{index}",
        "title": title,
        "passage": passage,
        "score": 0.8,
        "location": "Install",
    }


def test_an_answer_streams_in_and_the_next_question_can_be_typed_meanwhile(page: Page, stub: StubService) -> None:
    gate = threading.Event()
    stub.answer = lambda question: Answer(pieces=["First half, ", "second half."], gate=gate)
    ask(page, "How?")
    log = page.get_by_role("log")
    expect(log).to_contain_text("First half,")
    expect(log).not_to_contain_text("second half")
    expect(log).to_have_attribute("aria-busy", "true")
    expect(message_field(page)).to_be_focused()
    message_field(page).fill("And then?")
    page.keyboard.press("Enter")  # one answer at a time: the text waits
    gate.set()
    expect(log).to_contain_text("First half, second half.")
    expect(log).to_have_attribute("aria-busy", "false")
    expect(page.get_by_text("The answer is complete.")).to_be_attached()
    expect(message_field(page)).to_have_value("And then?")
    assert [chat["messages"][-1]["content"] for chat in stub.chats] == ["How?"]


def test_stop_keeps_what_has_come_and_ends_the_work(page: Page, stub: StubService) -> None:
    gate = threading.Event()
    stub.answer = lambda question: Answer(pieces=["So far. ", "Never."], gate=gate)
    ask(page, "How?")
    expect(page.get_by_text("So far.")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped before the end.")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("So far.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert stub.left.wait(20)
    assert stub.finished == []


def test_numbers_in_the_answer_open_the_passages_they_stand_for(page: Page, stub: StubService) -> None:
    sources = [citation(1, "README.md"), citation(2, "운영.pdf")]
    stub.answer = lambda question: Answer(pieces=["It is so [1], and [2] too, not [3]."], citations=sources)
    ask(page, "Is it?")
    chip = page.get_by_role("log").locator("p").get_by_role("button", name="Source 2: 운영.pdf")
    chip.click()
    sheet = page.get_by_role("dialog", name="Source 2")
    expect(sheet.get_by_text("<script>alert(2)</script>")).to_be_visible()
    expect(sheet.get_by_text("80%")).to_be_visible()
    expect(sheet.get_by_text("Install")).to_be_visible()
    sheet.get_by_role("button", name="Previous source").click()
    expect(page.get_by_role("dialog", name="Source 1")).to_contain_text("Passage 1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(chip).to_be_focused()
    expect(page.get_by_role("log")).to_contain_text("not [3]")


def test_what_an_answer_contains_cannot_act(page: Page, stub: StubService) -> None:
    attack = (
        "<img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script>\n\n"
        "![pixel](http://127.0.0.2/pixel.png) [x](javascript:document.title='owned')"
    )
    stub.answer = lambda question: Answer(pieces=[attack, "\n\nThe end."])
    ask(page, "Attack?")
    expect(page.get_by_text("The end.")).to_be_visible()
    assert page.title() == "aihub"
    assert page.locator("[role=log] img, [role=log] script").count() == 0


def test_code_is_copied(new_page: NewPage, stub: StubService) -> None:
    stub.answer = lambda question: Answer(pieces=["```sh\nmake up\n```"])
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    ask(page, "How?")
    page.locator(".code").get_by_role("button", name="Copy").click()
    expect(page.locator(".code").get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "make up\n"


def test_code_is_copied_where_the_browser_has_no_clipboard(new_page: NewPage, stub: StubService) -> None:
    stub.answer = lambda question: Answer(pieces=["```sh\nmake up\n```"])
    page = new_page()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    ask(page, "How?")
    page.locator(".code").get_by_role("button", name="Copy").click()
    expect(page.locator(".code").get_by_role("button", name="Copied")).to_be_visible()


def test_a_refused_question_is_kept_and_asked_again(page: Page, stub: StubService) -> None:
    stub.answer = lambda question: Answer(refusal=Refusal(503, "Away.", "engine_unavailable", 10))
    ask(page, "Are you there?")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The model is not available at the moment. It may work again in about 10 seconds.")
    stub.answer = lambda question: Answer()
    alert.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("log").get_by_text("Are you there?")).to_have_count(1)


def test_a_refused_question_can_be_changed(page: Page, stub: StubService) -> None:
    stub.answer = lambda question: Answer(refusal=Refusal(400, "It has 9 tokens, 4 fit.", "context_length_exceeded"))
    ask(page, "Much too long")
    expect(page.get_by_role("alert")).to_contain_text("9 tokens, 4 fit")
    page.get_by_role("button", name="Edit the question").click()
    expect(message_field(page)).to_have_value("Much too long")
    expect(message_field(page)).to_be_focused()


def test_a_lost_connection_keeps_what_had_come(page: Page, stub: StubService) -> None:
    stub.answer = lambda question: Answer(pieces=["Only half"], cut=True)
    ask(page, "How?")
    expect(page.get_by_role("alert")).to_contain_text("The connection was lost before the answer was complete.")
    expect(page.get_by_role("log")).to_contain_text("Only half")


@pytest.mark.parametrize("button", ["Try again", "Edit the question"])
def test_a_question_that_is_asked_again_takes_its_own_place(page: Page, stub: StubService, button: str) -> None:
    stub.answer = lambda question: Answer(pieces=["Only half"], cut=True)
    ask(page, "How?")
    expect(page.get_by_role("alert")).to_be_visible()
    stub.answer = lambda question: Answer()
    page.get_by_role("button", name=button).click()
    if button == "Edit the question":
        ask(page, "How now?")
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")
    assert [chat.get("replaces") for chat in stub.chats] == [None, "0000000000000001"]


def sign_in_again(page: Page) -> None:
    """Through the dialog over the chat, which does not give way to Escape."""
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_contain_text("Your session has ended.")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_label("API key").fill(API_KEY)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)


def test_a_question_that_finds_its_session_ended_can_be_asked_again(page: Page, stub: StubService) -> None:
    # After an answer the page asks who is signed in, and for the list. The session is to end after that, not with it.
    expect(message_field(page)).to_be_visible()  # it has asked once, at its start
    with page.expect_response("**/api/me"):
        ask(page, "First")
    expect(page.get_by_role("navigation").get_by_role("link", name="First")).to_be_visible()
    stub.sessions.clear()
    ask(page, "Second")
    sign_in_again(page)
    expect(page.get_by_role("navigation").get_by_role("button", name="Try again")).to_have_count(0)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("This is the answer.")).to_have_count(2)


def test_a_draft_outlives_its_session(page: Page, stub: StubService) -> None:
    message_field(page).fill("Half a thought")
    stub.sessions.clear()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    sign_in_again(page)
    expect(message_field(page)).to_have_value("Half a thought")


def test_an_answer_goes_on_while_another_conversation_is_read(page: Page, stub: StubService) -> None:
    gate = threading.Event()
    stub.add_conversation("Older one", [{"role": "user", "content": "Old question", "created_at": ""}])
    stub.answer = lambda question: Answer(pieces=["Begun, ", "finished."], gate=gate)
    page.reload()
    ask(page, "Slow question")
    expect(page.get_by_text("Begun,")).to_be_visible()
    page.get_by_role("link", name="Older one").click()
    expect(page.get_by_role("log")).to_contain_text("Old question")
    gate.set()
    page.go_back()
    expect(page.get_by_role("log")).to_contain_text("Begun, finished.")


@pytest.mark.parametrize(("engine", "said"), [("quotation", "No model is loaded"), ("upstream", "Answered by Qwen3")])
def test_the_page_says_what_answers(new_page: NewPage, stub: StubService, engine: str, said: str) -> None:
    stub.model = {"id": "Qwen3", "engine": engine}
    expect(new_page().get_by_text(said)).to_be_visible()


def test_documents_can_be_left_out_of_a_question(page: Page, stub: StubService) -> None:
    page.get_by_role("button", name="Use documents").click()
    ask(page, "Just you")
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")
    assert stub.chats[0]["retrieval"] is False


def test_what_is_away_is_said_and_the_chat_goes_on_unsaved(new_page: NewPage, stub: StubService) -> None:
    stub.services["history"] = "unavailable"
    page = new_page()
    expect(page.get_by_text("this chat is not saved")).to_be_visible()
    for question in ("One", "Two"):
        ask(page, question)
        expect(page.get_by_text("This is the answer.")).to_have_count(1 if question == "One" else 2)
    assert [message["content"] for message in stub.chats[1]["messages"]] == ["One", "This is the answer.", "Two"]
    stub.services["history"] = "ok"
    ask(page, "Three")
    expect(page.get_by_text("this chat is not saved")).to_have_count(0)


def test_notices_of_the_service_can_be_read_and_dismissed(page: Page, stub: StubService) -> None:
    stub.answer = lambda question: Answer(notices=["The documents could not be searched."])
    ask(page, "How?")
    expect(page.get_by_text("The documents could not be searched.")).to_be_visible()
    page.get_by_role("button", name="Dismiss the notice").click()
    expect(page.get_by_text("The documents could not be searched.")).to_have_count(0)
