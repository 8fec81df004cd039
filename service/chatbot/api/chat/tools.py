"""OpenAI's tools in a request: what is offered, and what an assistant called."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from chatbot.api.chat.strict import Strict, without_halves
from chatbot.engine.protocol import Tool, ToolCall

LEVELS = 64

FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


def twice(names: Sequence[str]) -> list[str]:
    """What occurs more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def is_deep(value: Any) -> bool:
    """Whether `value` is nested deeper than `LEVELS`: templates and clients walk through it by recursion."""
    inner = [value]
    for _ in range(LEVELS):
        inner = [
            item
            for outer in inner
            for item in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        ]
    return bool(inner)


class OfferedFunction(Strict):
    """A function that the client can call."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    @field_validator("parameters")
    @classmethod
    def _is_schema_of_an_object(cls, parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        if parameters and parameters.get("type") != "object":
            raise ValueError('must be a JSON schema with "type": "object"')
        if is_deep(parameters):
            raise ValueError(f"is nested deeper than {LEVELS} levels")
        return parameters

    @field_validator("strict")
    @classmethod
    def _is_not_strict(cls, strict: bool | None) -> bool | None:
        if strict:
            raise ValueError("arguments are not held to their schema here: leave it out, and check what comes")
        return strict


class OfferedTool(Strict):
    """One entry of `tools`."""

    type: Literal["function"]
    function: OfferedFunction

    def as_tool(self) -> Tool:
        """The tool for an engine."""
        return Tool(self.function.name, self.function.description, self.function.parameters)


def _distinct(tools: list[OfferedTool]) -> list[OfferedTool]:
    if repeated := twice([tool.function.name for tool in tools]):
        raise ValueError(f"the function {repeated[0]} is there more than once")
    return tools


OfferedTools = Annotated[list[OfferedTool], Field(max_length=128), AfterValidator(_distinct)]


class CalledFunction(Strict):
    """A function as an assistant called it."""

    name: FunctionName
    arguments: str
    parsed_arguments: Any = None
    """Written by OpenAI's client beside `arguments`, and not read."""

    @field_validator("arguments")
    @classmethod
    def _is_an_object(cls, arguments: str) -> str:
        try:
            written = json.loads(arguments)
        except (ValueError, RecursionError):
            written = None
        if not isinstance(written, dict) or is_deep(written):
            raise ValueError(f"must be a JSON object of at most {LEVELS} levels, written as text")
        mended = without_halves(written)
        return arguments if mended == written else json.dumps(mended, ensure_ascii=False)


class MadeCall(Strict):
    """One entry of an assistant's `tool_calls`."""

    id: Annotated[str, Field(min_length=1, max_length=128)]
    type: Literal["function"]
    function: CalledFunction
    index: int | None = None
    """The call's place in a stream, which OpenAI's client sends back; not read."""

    def as_call(self) -> ToolCall:
        """The call for an engine."""
        return ToolCall(self.id, self.function.name, self.function.arguments)
