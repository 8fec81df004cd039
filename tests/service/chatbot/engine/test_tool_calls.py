"""Calls in a stream of text."""

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatbot.engine.tool_calls import CLOSE, OPEN, Called, ToolCallParser

Parsed = list[str | Called]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
calls = st.tuples(
    st.text("abc_", min_size=1, max_size=6), st.dictionaries(st.text(max_size=5), json_values, max_size=3)
)
fragments = st.sampled_from(
    [
        OPEN,
        CLOSE,
        "<tool",
        "_call>",
        "</",
        " ",
        "\n",
        '{"name": "f", "arguments": {}}',
        '{"name": "f"',
        "한글",
        "x",
        "}",
    ]
)
noise = st.lists(fragments, max_size=12).map("".join)
"""Texts made of what a parser could stumble over."""


def parse(pieces: Iterable[str]) -> Parsed:
    """The result, with neighbouring texts joined: how text is cut says nothing."""
    parser = ToolCallParser()
    found = [item for piece in pieces for item in parser.feed(piece)] + parser.rest()
    joined: Parsed = []
    for item in found:
        if isinstance(item, str) and joined and isinstance(joined[-1], str):
            joined[-1] += item
        else:
            joined.append(item)
    return joined


def written(name: str, arguments: dict[str, Any]) -> str:
    return f"{OPEN}\n{json.dumps({'name': name, 'arguments': arguments}, ensure_ascii=False)}\n{CLOSE}"


def cut(text: str, places: Sequence[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[start:end] for start, end in itertools.pairwise(ends)]


@given(noise, st.lists(st.integers(0, 200), max_size=8))
def test_how_the_text_is_cut_changes_nothing(text: str, places: list[int]) -> None:
    whole = parse([text])
    assert parse(cut(text, places)) == whole
    assert parse(text) == whole


@given(noise)
@example(f"{OPEN}{CLOSE} {OPEN}")
def test_nothing_is_lost_but_white_space_around_calls(text: str) -> None:
    back = "".join(
        item if isinstance(item, str) else f'{OPEN}{{"name": "f", "arguments": {item.arguments}}}{CLOSE}'
        for item in parse([text])
    )
    # A call at the very end needs no closing marker, and gets one here.
    assert "".join(back.split()) in ("".join(text.split()), "".join(text.split()) + CLOSE)


@given(noise)
def test_without_calls_the_text_is_the_same(text: str) -> None:
    parsed = parse([text])
    if not any(isinstance(item, Called) for item in parsed):
        assert "".join(str(item) for item in parsed) == text


@given(st.text("ab \n<", max_size=10), st.lists(calls, min_size=1, max_size=3), st.lists(st.integers(0, 400)))
def test_calls_come_out_as_they_were_written(before: str, called: list[Any], places: list[int]) -> None:
    text = "\n".join([before, *(written(name, arguments) for name, arguments in called)])
    if any(CLOSE in json.dumps(arguments) for _, arguments in called):
        return
    parsed = parse(cut(text, places))
    assert [item for item in parsed if isinstance(item, str)] == ([before.rstrip()] if before.strip() else [])
    read = [(item.name, json.loads(item.arguments)) for item in parsed if isinstance(item, Called)]
    assert read == called


def test_text_is_given_at_once_and_a_call_when_it_is_whole() -> None:
    parser = ToolCallParser()
    assert parser.feed("Let me look.\n") == ["Let me look."]
    assert parser.feed("<tool") == []
    assert parser.feed('_call>{"name": "weather", "argu') == []
    assert parser.feed('ments": {"city": "서울"}}') == []
    assert parser.feed("</tool_call>") == [Called("weather", '{"city": "서울"}')]
    assert parser.feed("\n") == []
    assert parser.rest() == []


def test_what_only_begins_like_a_marker_is_text() -> None:
    parser = ToolCallParser()
    assert parser.feed("a <tool") == ["a"]
    assert parser.feed("box> b") == [" <toolbox> b"]


def test_a_whole_call_counts_without_its_closing_marker() -> None:
    assert parse(['<tool_call>\n{"name": "f", "arguments": {}}']) == [Called("f", "{}")]


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "not JSON",
        '{"name": "f", "arguments": {}',
        '{"name": "f", "arguments": "{}"}',
        '{"name": "", "arguments": {}}',
        '{"name": "f"}',
        '{"name": "f", "arguments": {"x": NaN}}',
        '{"name": "f", "arguments": {"x": 1e999}}',
        '{"name": "f", "arguments": {"x": "\\ud800"}}',
        '{"name": "f", "arguments": {"x": "</tool_call>"}}',
        '[{"name": "f", "arguments": {}}]',
        "[" * 100_000,
    ],
)
def test_what_is_no_call_stays_text(inside: str) -> None:
    text = f"Well: \n{OPEN}{inside}{CLOSE} so."
    assert parse([text]) == [text]
    good = written("g", {})
    assert parse([text, good]) == [text, Called("g", "{}")]
