"""A loaded model that writes what the test says."""

from typing import Any

import pytest
import torch

from chatbot.engine.transformers import TransformersEngine


def saying(engine: TransformersEngine, text: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the model write `text`; returns the list of prompts that it gets."""
    prompts: list[str] = []
    tokenizer: Any = engine._tokenizer

    def generate(*, input_ids: torch.Tensor, streamer: Any, **_: Any) -> torch.Tensor:
        prompts.append(tokenizer.decode(input_ids[0]))
        written = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        streamer.put(input_ids)
        for token in written:
            streamer.put(torch.tensor([token]))
        streamer.end()
        return torch.cat([input_ids, torch.tensor([written])], dim=1)

    monkeypatch.setattr(engine._model, "generate", generate)
    return prompts
