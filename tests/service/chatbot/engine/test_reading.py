"""What a model writes, read as the request asks."""

from chatbot.engine.protocol import Delta, GenerationRequest, Message, Tool
from chatbot.engine.reading import Reading

TOOLS = (Tool("f"),)
CALL = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'


def read(
    pieces: list[str], *, tools: tuple[Tool, ...] = TOOLS, parallel: bool = True, stop: tuple[str, ...] = ()
) -> tuple[list[Delta], Reading]:
    request = GenerationRequest(messages=(Message("user", "?"),), tools=tools, parallel_tool_calls=parallel)
    reading = Reading(request, stop)
    deltas: list[Delta] = []
    for piece in pieces:
        deltas += reading.feed(piece)
        if reading.is_over:
            break
    return [*deltas, *reading.rest()], reading


def names(deltas: list[Delta]) -> list[str]:
    return [delta.tool_call.name if delta.tool_call else delta.text for delta in deltas]


def test_calls_have_ids_of_their_own_and_give_the_reason() -> None:
    deltas, reading = read([CALL, CALL])
    first, second = (delta.tool_call for delta in deltas)
    assert first is not None
    assert second is not None
    assert first.id.startswith("call_")
    assert first.id != second.id
    assert reading.reason(has_ended=True) == "tool_calls"
    assert reading.reason(has_ended=False) == "length"


def test_without_tools_a_call_is_text() -> None:
    deltas, reading = read([CALL], tools=())
    assert names(deltas) == [CALL]
    assert reading.reason(has_ended=True) == "stop"


def test_one_call_ends_the_answer_where_only_one_is_allowed() -> None:
    for pieces in ([CALL, CALL, "more"], [CALL + CALL + "more"]):
        deltas, reading = read(pieces, parallel=False)
        assert names(deltas) == ["f"]
        assert reading.reason(has_ended=False) == "tool_calls"


def test_a_stop_string_comes_before_calls() -> None:
    deltas, reading = read(["Well. ", "END", CALL], stop=("END",))
    assert "".join(names(deltas)) == "Well. "
    assert reading.reason(has_ended=False) == "stop"
    cut, reading = read([CALL], stop=('"arguments"',))
    assert "".join(names(cut)) == '<tool_call>{"name": "f", '
    assert reading.reason(has_ended=False) == "stop"
