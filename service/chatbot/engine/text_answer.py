"""From the text that a model writes to the pieces of an answer: without its reasoning, to a stop string, then calls."""

import secrets
from collections.abc import Iterator

from chatbot.engine.protocol import Delta, FinishReason, GenerationRequest, ToolCall
from chatbot.engine.stopping import StopStrings
from chatbot.engine.thoughts import Thoughts
from chatbot.engine.tool_calls import Called, ToolCallParser


class TextAnswer:
    """One answer as it is read; calls are looked for only where tools were offered."""

    def __init__(self, request: GenerationRequest, stops: tuple[str, ...], *, is_thinking: bool = False) -> None:
        """`is_thinking`: the prompt ends in the middle of the model's reasoning."""
        self._thoughts = Thoughts(is_open=is_thinking)
        self._stops = StopStrings(stops)
        self._parser = ToolCallParser() if request.tools else None
        self._is_parallel = request.parallel_tool_calls
        self._calls = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing that follows counts: a stop string came, or the only call that was allowed."""
        return self._stops.matched or self._has_only_call

    def feed(self, text: str) -> Iterator[Delta]:
        """What can be shown now."""
        yield from self._read(self._stops.feed(self._thoughts.feed(text)))

    def rest(self) -> Iterator[Delta]:
        """What was held back when the model ended."""
        if not self._stops.matched:
            last = self._stops.feed(self._thoughts.rest())
            yield from self._read(last if self._stops.matched else last + self._stops.rest())
        if self._parser and not self._has_only_call:
            yield from self._deltas(self._parser.rest())

    def reason(self, *, has_ended: bool) -> FinishReason:
        """Why the answer ended; `has_ended`: the model itself ended it."""
        if not (self.is_over or has_ended):
            return "length"
        return "tool_calls" if self._calls else "stop"

    @property
    def _has_only_call(self) -> bool:
        return self._calls > 0 and not self._is_parallel

    def _read(self, text: str) -> Iterator[Delta]:
        if self._parser:
            yield from self._deltas(self._parser.feed(text))
        elif text:
            yield Delta(text)

    def _deltas(self, items: list[str | Called]) -> Iterator[Delta]:
        for item in items:
            if self._has_only_call:
                return
            if isinstance(item, str):
                yield Delta(item)
                continue
            self._calls += 1
            yield Delta(tool_call=ToolCall(f"call_{secrets.token_hex(12)}", item.name, item.arguments))
