"""Tool calls in the text of a model: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, as Hermes and Qwen3.

The form is what those models' chat templates ask for; nothing here knows the tools that were offered.
"""

import json
from dataclasses import dataclass
from typing import NoReturn

OPEN = "<tool_call>"
CLOSE = "</tool_call>"


@dataclass(frozen=True)
class Called:
    """A call that was read; `arguments` is a JSON object as text."""

    name: str
    arguments: str


class ToolCallParser:
    """Takes the text as it comes and gives it back at once, but for the calls.

    What looks like a call and is none stays text: nothing is lost. The first closing marker ends a call, also where an
    argument contains it. White space between text and a call, and between calls, is the form's and is dropped.
    """

    def __init__(self) -> None:
        self._held = ""
        """Not given back yet: white space and the beginning of a marker, or a call so far."""
        self._has_called = False

    def feed(self, text: str) -> list[str | Called]:
        """What is certain now: pieces of text and calls, in the model's order."""
        self._held += text
        found: list[str | Called] = []
        while (start := self._held.find(OPEN)) >= 0:
            end = self._held.find(CLOSE, start)
            before = self._held[:start]
            if before.rstrip():
                found.append(before.rstrip())
                self._held = self._held[len(before.rstrip()) :]
                continue
            if end < 0:
                return found
            found.append(self._closed(end + len(CLOSE)))
        keep = _undecided(self._held)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return [*found, shown] if shown else found

    def rest(self) -> list[str | Called]:
        """What was held back when the text ended; a whole call counts although its closing marker is missing."""
        if not self._held or (self._has_called and not self._held.strip()):
            return []
        return [self._closed(len(self._held))]

    def _closed(self, end: int) -> str | Called:
        whole, self._held = self._held[:end], self._held[end:]
        marked = whole.strip()
        if not marked.startswith(OPEN):
            return whole
        call = _read(marked.removeprefix(OPEN).removesuffix(CLOSE))
        self._has_called = self._has_called or call is not None
        return call or whole


def _undecided(text: str) -> int:
    """Length of the end of `text` that may belong to a call: white space, and the beginning of a marker."""
    marker = next((size for size in range(min(len(text), len(OPEN) - 1), 0, -1) if OPEN.startswith(text[-size:])), 0)
    before = text[: len(text) - marker]
    return marker + len(before) - len(before.rstrip())


def _read(text: str) -> Called | None:
    try:
        call = json.loads(text, parse_constant=_refuse)
        match call:
            case {"name": str(name), "arguments": dict(arguments)} if name:
                written = json.dumps(arguments, ensure_ascii=False, allow_nan=False)
                # Half a surrogate pair, which JSON can escape, cannot be sent as UTF-8.
                f"{name}{written}".encode()
                return Called(name, written)
    except (ValueError, RecursionError):
        pass
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
