"""What a browser shows when signing in failed, in both languages: plain documents, which need no script."""

from html import escape

from fastapi.responses import HTMLResponse

from chatbot.oidc.errors import Failure

START = "/login/start"
RETRY_SECONDS = 30

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<h1>{title}</h1>
<p>{english}</p>
<p lang="ko">{korean}</p>
<p>{links}</p>
</html>"""
KEY_LINK = '<a href="/">API key</a> · <a href="/" lang="ko">API 키로 로그인</a>'
LINKS = f'<a href="{START}">Try again</a> · <a href="{START}" lang="ko">다시 시도</a> · {KEY_LINK}'

TEXTS: dict[Failure, tuple[int, str, str, str]] = {
    Failure.AWAY: (
        503,
        "The sign-in service does not answer",
        "Your organisation's sign-in service cannot be reached right now. Try again in a moment. Whoever is signed in "
        "stays signed in, and the API key works as before.",
        "지금 조직의 로그인 서비스에 연결할 수 없습니다. 잠시 뒤에 다시 시도해 주세요. "
        "이미 로그인한 사람은 계속 이용할 수 있고, API 키도 그대로 쓸 수 있습니다.",
    ),
    Failure.SETUP: (
        503,
        "Signing in is not set up correctly",
        "The chat and your organisation's sign-in service do not fit together. Tell your administrator: the log of the "
        "chat says what is wrong. The API key works as before.",
        "채팅과 조직의 로그인 서비스 설정이 서로 맞지 않습니다. 관리자에게 알려 주세요. "
        "자세한 내용은 채팅 서비스의 로그에 있습니다. API 키는 그대로 쓸 수 있습니다.",
    ),
    Failure.REFUSED: (
        403,
        "You were not signed in",
        "Your organisation's sign-in service did not let you in, or you cancelled.",
        "조직의 로그인 서비스가 로그인을 허용하지 않았거나 로그인을 취소했습니다.",
    ),
    Failure.STALE: (
        400,
        "This sign-in cannot be finished",
        "It took too long, was finished already, or was begun in another window. Begin again.",
        "시간이 너무 오래 걸렸거나, 이미 끝났거나, 다른 창에서 시작한 로그인입니다. 처음부터 다시 시도해 주세요.",
    ),
    Failure.INVALID: (
        400,
        "This sign-in was refused",
        "The answer of the sign-in service is not valid for this attempt. Begin again; if it happens again, tell your "
        "administrator.",
        "로그인 서비스의 응답이 올바르지 않습니다. 다시 시도해 주세요. 계속 같은 문제가 생기면 관리자에게 알려 주세요.",
    ),
    Failure.GROUP: (
        403,
        "You may not use this chat",
        "You are known as {name}, but you are not a member of a group that may use this chat. Ask your administrator.",
        "{name} 님은 이 채팅을 사용할 수 있는 그룹에 속해 있지 않습니다. 관리자에게 문의해 주세요.",
    ),
}


def failed_login(failure: Failure, name: str) -> HTMLResponse:
    """The page for a failed attempt."""
    status, title, english, korean = TEXTS[failure]
    known = {"name": escape(name)}
    page = PAGE.format(title=title, english=english.format(**known), korean=korean.format(**known), links=LINKS)
    return HTMLResponse(page, status, {"Retry-After": str(RETRY_SECONDS)} if failure is Failure.AWAY else None)


def spent_link() -> HTMLResponse:
    """The page for a one-time link that is not good any more."""
    page = PAGE.format(
        title="This login link is not valid any more",
        english="A link opens one session and is good for 15 minutes. Ask for a new one.",
        korean="이 로그인 링크는 이미 사용되었거나 만료되었습니다. 새 링크를 요청해 주세요.",
        links=KEY_LINK,
    )
    return HTMLResponse(page, 410)
