"""Calls as other servers stream them."""

from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from chatbot.engine.protocol import ToolCall
from chatbot.engine.wire import GatheredCalls


def fragment(index: int, arguments: str | None = None, **head: str) -> ChoiceDeltaToolCall:
    function = {"name": head.pop("name", None), "arguments": arguments}
    return ChoiceDeltaToolCall.model_validate({"index": index, "function": function, **head})


def test_fragments_of_several_calls_come_together_in_order() -> None:
    calls = GatheredCalls()
    calls.add([fragment(0, "", id="call_a", name="weather")])
    calls.add([fragment(0, '{"city":'), fragment(1, "{}", id="call_b", name="now")])
    calls.add([fragment(0, ' "Busan"}')])
    calls.add([fragment(2, None, id="call_c", name="bare")])
    assert calls.whole() == [
        ToolCall("call_a", "weather", '{"city": "Busan"}'),
        ToolCall("call_b", "now", "{}"),
        ToolCall("call_c", "bare", "{}"),
    ]
