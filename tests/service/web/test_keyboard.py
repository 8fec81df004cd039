"""Enter, input methods, and a reader without a pointer."""

from playwright.sync_api import CDPSession, Page, expect

from .conftest import NewPage
from .stub import Answer, StubService
from .test_chat import ask, message_field

TAKEN_BY_INPUT_METHOD = 229


def compose(session: CDPSession, text: str) -> None:
    """The text that the input method holds open."""
    session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})


def press_enter(session: CDPSession, *, taken: bool) -> None:
    """A key press as the browser gets it from the system; `taken`: the input method has it."""
    code = TAKEN_BY_INPUT_METHOD if taken else 13
    key = {"code": "Enter", "key": "Process" if taken else "Enter", "windowsVirtualKeyCode": code}
    kind = {"type": "rawKeyDown"} if taken else {"type": "keyDown", "text": "\r"}
    session.send("Input.dispatchKeyEvent", key | kind)


def questions(stub: StubService) -> list[str]:
    """What the service was asked."""
    return [chat["messages"][-1]["content"] for chat in stub.chats]


def test_enter_during_a_korean_syllable_sends_once_and_whole(page: Page, stub: StubService) -> None:
    """Chrome on Windows: the key belongs to the input method, which only closes the syllable."""
    session = page.context.new_cdp_session(page)
    message_field(page).focus()
    session.send("Input.insertText", {"text": "안녕하세"})
    for step in ("ㅇ", "요"):
        compose(session, step)
    press_enter(session, taken=True)
    session.send("Input.insertText", {"text": "요"})
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")
    expect(message_field(page)).to_have_value("")
    assert questions(stub) == ["안녕하세요"]


def test_an_enter_that_follows_the_syllable_sends_no_second_time(page: Page, stub: StubService) -> None:
    """Chrome on macOS: the same key arrives again when the syllable is closed."""
    session = page.context.new_cdp_session(page)
    message_field(page).focus()
    session.send("Input.insertText", {"text": "안녕하세"})
    compose(session, "요")
    press_enter(session, taken=True)
    session.send("Input.insertText", {"text": "요"})
    press_enter(session, taken=False)
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")
    press_enter(session, taken=False)
    expect(message_field(page)).to_have_value("")
    assert questions(stub) == ["안녕하세요"]


def test_picking_a_japanese_candidate_sends_nothing(page: Page, stub: StubService) -> None:
    session = page.context.new_cdp_session(page)
    message_field(page).focus()
    compose(session, "にほん")
    press_enter(session, taken=True)
    session.send("Input.insertText", {"text": "日本"})
    page.wait_for_timeout(100)
    assert questions(stub) == []
    press_enter(session, taken=False)
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")
    assert questions(stub) == ["日本"]


def test_shift_and_enter_makes_a_line(page: Page, stub: StubService) -> None:
    field = message_field(page)
    field.press_sequentially("one")
    height = field.evaluate("field => field.clientHeight")
    field.press("Shift+Enter")
    field.press_sequentially("two")
    expect(field).to_have_value("one\ntwo")
    assert field.evaluate("field => field.clientHeight") > height
    field.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("This is the answer.")
    assert questions(stub) == ["one\ntwo"]
    assert field.evaluate("field => field.clientHeight") == height


def test_everything_is_reached_with_the_keyboard(new_page: NewPage, stub: StubService) -> None:
    stub.add_conversation("Only one")
    page = new_page()
    expect(page.get_by_role("link", name="Only one")).to_be_visible()
    message_field(page).evaluate("field => field.blur()")
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "() => { const e = document.activeElement; return e.ariaLabel || e.innerText.trim() || e.tagName }"
        )
        if name in reached:
            break
        reached.append(name)
    wanted = [
        "Skip to the message box", "New chat", "Only one", "Rename Only one", "Delete Only one", "Documents",
        "Sign out", "English", "한국어", "As the system", "Light", "Dark", "Message", "Use documents",
    ]  # fmt: skip
    assert [name for name in wanted if name not in reached] == []


def test_the_skip_link_leads_to_the_message_box(page: Page) -> None:
    skip = page.get_by_role("link", name="Skip to the message box")
    skip.focus()
    expect(skip).to_be_visible()
    page.keyboard.press("Enter")
    expect(message_field(page)).to_be_focused()


def test_a_reader_who_scrolled_up_is_left_there(new_page: NewPage, stub: StubService) -> None:
    stub.answer = lambda question: Answer(pieces=["\n\n".join(f"Paragraph {number}" for number in range(80))])
    page = new_page(viewport={"width": 900, "height": 500})
    ask(page, "Long?")
    last = page.get_by_text("Paragraph 79")
    expect(last).to_be_in_viewport()
    page.get_by_text("Paragraph 40").scroll_into_view_if_needed()
    button = page.get_by_role("button", name="Go to the latest message")
    button.click()
    expect(last).to_be_in_viewport()
    expect(button).to_have_count(0)
