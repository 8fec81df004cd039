"""What a model writes, read as the request asks."""

from chatbot.engine.protocol import Delta, GenerationRequest, Message, Tool
from chatbot.engine.text_answer import TextAnswer

TOOLS = (Tool("f"),)
CALL = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'


def read(
    pieces: list[str], *, tools: tuple[Tool, ...] = TOOLS, parallel: bool = True, stop: tuple[str, ...] = ()
) -> tuple[list[Delta], TextAnswer]:
    request = GenerationRequest(messages=(Message("user", "?"),), tools=tools, parallel_tool_calls=parallel)
    answer = TextAnswer(request, stop)
    deltas: list[Delta] = []
    for piece in pieces:
        deltas += answer.feed(piece)
        if answer.is_over:
            break
    return [*deltas, *answer.rest()], answer


def names(deltas: list[Delta]) -> list[str]:
    return [delta.tool_call.name if delta.tool_call else delta.text for delta in deltas]


def test_calls_have_ids_of_their_own_and_give_the_reason() -> None:
    deltas, answer = read([CALL, CALL])
    first, second = (delta.tool_call for delta in deltas)
    assert first is not None
    assert second is not None
    assert first.id.startswith("call_")
    assert first.id != second.id
    assert answer.reason(has_ended=True) == "tool_calls"
    assert answer.reason(has_ended=False) == "length"


def test_without_tools_a_call_is_text() -> None:
    deltas, answer = read([CALL], tools=())
    assert names(deltas) == [CALL]
    assert answer.reason(has_ended=True) == "stop"


def test_one_call_ends_the_answer_where_only_one_is_allowed() -> None:
    for pieces in ([CALL, CALL, "more"], [CALL + CALL + "more"]):
        deltas, answer = read(pieces, parallel=False)
        assert names(deltas) == ["f"]
        assert answer.reason(has_ended=False) == "tool_calls"


def test_a_stop_string_comes_before_calls() -> None:
    deltas, answer = read(["Well. ", "END", CALL], stop=("END",))
    assert "".join(names(deltas)) == "Well. "
    assert answer.reason(has_ended=False) == "stop"
    cut, answer = read([CALL], stop=('"arguments"',))
    assert "".join(names(cut)) == '<tool_call>{"name": "f", '
    assert answer.reason(has_ended=False) == "stop"
