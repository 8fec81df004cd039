"""A real browser on the built page, served by the stub."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (requirements-dev.txt)")

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright  # noqa: E402  after importorskip

from .stub import StubService  # noqa: E402  after importorskip

WEB = Path(__file__).parents[3] / "service" / "web"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ACTION_MILLISECONDS = 20_000
"""For an action, and for what is expected to show; the machine may build something else beside the tests."""
expect.set_options(timeout=ACTION_MILLISECONDS)


@pytest.fixture(scope="session")
def web_dir() -> Path:
    """The built page; built now if its sources are newer."""
    sources = [path for path in WEB.glob("*.*") if path.is_file()]
    sources += [path for folder in ("src", "public") for path in (WEB / folder).rglob("*") if path.is_file()]
    index = WEB / "dist" / "index.html"
    if not index.exists() or index.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("the page is not built, and npm is not installed")
        if not (WEB / "node_modules").exists():
            subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=WEB, check=True)
        subprocess.run([npm, "run", "build"], cwd=WEB, check=True)
    return WEB / "dist"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def stub(web_dir: Path) -> Iterator[StubService]:
    with StubService(web_dir) as stub:
        yield stub


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser, stub: StubService) -> Iterator[NewPage]:
    """Opens pages, signed in unless told otherwise.

    Afterwards it fails the test if a page reported a violated policy or an uncaught error, or asked another host.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(*, signed_in: bool = True, address: str = "/", **options: Any) -> Page:
        context = browser.new_context(base_url=stub.url, **({"locale": "en-US"} | options))
        context.set_default_timeout(ACTION_MILLISECONDS)
        contexts.append(context)
        if signed_in:
            stub.sessions.add("signedin")
            context.add_cookies([{"name": "aihub_session", "value": "signedin", "url": stub.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"uncaught: {error}"))
        page.on("console", lambda line: faults.append(line.text) if _is_fault(line.text) else None)
        page.on("request", lambda request: None if request.url.startswith(stub.url) else faults.append(request.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def _is_fault(line: str) -> bool:
    return "Content Security Policy" in line or "[Vue warn]" in line


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A signed-in reader, English, on a desktop."""
    return new_page()
