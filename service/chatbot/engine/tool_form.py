"""Whether a model's chat template knows tools, in the form that is read here."""

from typing import Any

from jinja2.exceptions import TemplateError

from chatbot.engine.prompt import rendered
from chatbot.engine.protocol import Message, Tool, ToolCall
from chatbot.engine.tool_calls import CLOSE, OPEN, Called, ToolCallParser

PROBE = "probe_of_tools"
RESULT = "result of the probe"


def knows_tools(tokenizer: Any) -> bool:
    """Whether the template shows the model tools, calls and results, and writes calls as `ToolCallParser` reads them.

    It is asked by an example: how it writes an earlier call is how the model was taught to write the next one. A
    search for words in its text would take other forms for this one, as Llama's, or XML inside the same markers.
    """
    if not tokenizer.chat_template or {OPEN, CLOSE} & set(tokenizer.all_special_tokens):
        return False  # special tokens are not in the text that is decoded
    question = Message("user", "question")
    call = ToolCall("call_probe", PROBE, '{"argument": "value"}')
    exchange = (question, Message("assistant", "", (call,)), Message("tool", RESULT, tool_call_id=call.id))
    try:
        offer = rendered(tokenizer, [question], [Tool(PROBE)])
        past = rendered(tokenizer, exchange)
    except (TemplateError, TypeError):
        return False
    parser = ToolCallParser()
    return PROBE in offer and RESULT in past and Called(PROBE, call.arguments) in [*parser.feed(past), *parser.rest()]
