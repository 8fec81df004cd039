"""What a model thinks before it answers is no part of the answer, nor of the next prompt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from chatbot.engine.embedding import Embedder
from chatbot.engine.prompt import encode
from chatbot.engine.protocol import GenerationRequest, Message, Tool
from chatbot.engine.text_answer import TextAnswer
from chatbot.engine.thoughts import Thoughts
from chatbot.engine.transformers import TransformersEngine
from tests.service.chatbot.engine.saying import saying
from tests.service.chatbot.tiny_llama import ALWAYS_THINKING_TEMPLATE, THINKING_TEMPLATE, make_tiny_llama

ASKED = GenerationRequest(messages=(Message("user", "Well?"),))
Load = Callable[[str], TransformersEngine]


@pytest.fixture
def load(embedder: Embedder, tmp_path: Path) -> Load:
    def make(template: str) -> TransformersEngine:
        folder = make_tiny_llama(tmp_path / "model", template)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        tokenizer.add_tokens(["<think>", "</think>"])  # no special tokens, as with Qwen3
        model = AutoModelForCausalLM.from_pretrained(folder)
        model.resize_token_embeddings(len(tokenizer))
        return TransformersEngine(model, tokenizer, embedder, "tiny", 20_000)

    return make


@pytest.mark.parametrize(
    ("written", "is_open", "shown"),
    [
        ("<think>a < b</think>\n\nYes.", False, "Yes."),
        (" \n<think>\n\n</think>\n<think>again</think>Yes.", False, "Yes."),
        ("a</think>\nYes.", True, "Yes."),
        ("<think>a</think>Yes.", True, "Yes."),
        ("never ends </thin", True, ""),
        ("<think>never ends", False, ""),
        ("Write <think>a</think> so.", False, "Write <think>a</think> so."),
        ("  <thin ice", False, "  <thin ice"),
        ("<th", False, "<th"),
    ],
)
@given(data=st.data())
def test_reasoning_is_left_out_however_it_comes(written: str, is_open: bool, shown: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(written)))))
    pieces = [written[start:end] for start, end in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    thoughts = Thoughts(is_open=is_open)
    assert "".join(map(thoughts.feed, pieces)) + thoughts.rest() == shown


def test_reasoning_neither_stops_an_answer_nor_calls() -> None:
    call = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'
    answer = TextAnswer(GenerationRequest(messages=(), tools=(Tool("f"),)), ("END",))
    deltas = [*answer.feed(f"<think>END {call}</think>Yes. E"), *answer.rest()]
    assert ["".join(delta.text for delta in deltas), [delta.tool_call for delta in deltas if delta.tool_call]] == [
        "Yes. E",
        [],
    ]


async def test_a_model_that_can_do_without_is_told_to(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load(THINKING_TEMPLATE)
    prompts = saying(engine, "<think>still</think>\n\nYes.", monkeypatch)
    deltas = [delta async for delta in engine.stream(ASKED)]
    assert prompts[0].endswith("<think>\n\n</think>\n\n")
    assert "".join(delta.text for delta in deltas) == "Yes."
    assert deltas[-1].finish_reason == "stop"


async def test_a_block_that_the_template_opens_is_closed_in_the_answer(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load(ALWAYS_THINKING_TEMPLATE)
    prompts = saying(engine, "It may be.\n</think>\n\nYes.", monkeypatch)
    deltas = [delta async for delta in engine.stream(ASKED)]
    assert prompts[0].endswith("<think>\n")
    assert "".join(delta.text for delta in deltas) == "Yes."


def test_the_reasoning_of_earlier_answers_is_not_read_again(load: Load) -> None:
    tokenizer = load(THINKING_TEMPLATE)._tokenizer
    past = (Message("user", "</think>One?"), Message("assistant", "<think>secret</think>\n\nYes."), *ASKED.messages)
    read = tokenizer.decode(encode(tokenizer, past))
    assert "<|assistant|>Yes.<|end|>" in read
    assert "secret" not in read
    assert read.count("</think>") == 1, "only the template's"
