"""What the pages point at is there: files, headings, decisions, and the targets of `make`."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.paths import CHECKOUT

DECISIONS = CHECKOUT / "docs" / "decisions"
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
MAKE = re.compile(r"(?:^|\s)make ([a-z]+)(?=\s|$)")


def anchors(page: Path) -> set[str]:
    """Return the names that a page's headings have, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[str]:
    """Yield the targets of `make` that a page gives as commands."""
    code = re.findall(r"`(?:sudo )?(make [^`]+)`|^ {4}(?:sudo )?(make .+)$", page.read_text(), re.MULTILINE)
    for inline, block in code:
        yield from MAKE.findall(inline or block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^ {4}.*$", "", page.read_text(), flags=re.MULTILINE)
    for target, anchor in LINK.findall(prose):
        if target.startswith(("http:", "https:")):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name} points at {target}"
        assert not anchor or anchor in anchors(file), f"{page.name} points at {target}#{anchor}"


def test_every_decision_stands_in_the_index_under_its_title() -> None:
    index = (DECISIONS / "README.md").read_text()
    for file in sorted(DECISIONS.glob("[0-9]*.md")):
        number, _, title = file.read_text().splitlines()[0].removeprefix("# ").partition(" ")
        assert f"- [{number}]({file.name}) {title}\n" in index


def test_commands_of_the_pages_are_targets() -> None:
    line = re.search(r"^\.PHONY: (.+)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    assert line
    targets = set(line[1].split())
    told = {command for page in PAGES for command in commands(page)}
    assert told <= targets, told - targets
    assert targets <= told, "not told of on any page"
