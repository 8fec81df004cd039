"""A real, tiny, random Llama with a tokenizer of its own: everything of a model but sense."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT_TOKENS = 256
LINES = [
    "The quick brown fox jumps over the lazy dog.",
    "A private chat on one machine answers from documents.",
    "연차 휴가는 입사 1년 이후 15일이 주어집니다. 안녕하세요.",
    "User: Assistant: System: passage number document",
]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
NO_SYSTEM_TEMPLATE = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT_TEMPLATE
)
TURNS_TEMPLATE = (
    "{% for message in messages %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('take turns') }}{% endif %}{% endfor %}" + CHAT_TEMPLATE
)
"""As Gemma's and Mistral's."""
THINKING_TEMPLATE = (
    "{% for message in messages %}{% set said = message.content.split('</think>')[-1] %}"
    "<|{{ message.role }}|>{{ said }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{{ '<think>\n\n</think>\n\n' if enable_thinking is false }}{% endif %}"
)
"""As Qwen3's, which thinks unless told otherwise."""
ALWAYS_THINKING_TEMPLATE = THINKING_TEMPLATE.replace(
    "{{ '<think>\n\n</think>\n\n' if enable_thinking is false }}", "<think>\n"
)
"""As DeepSeek-R1's, which opens the block itself."""
TOOLS_TEMPLATE = (
    "{% if tools %}<|system|>Functions:{% for tool in tools %}\n{{ tool | tojson }}{% endfor %}<|end|>{% endif %}"
    "{% for message in messages %}<|{{ 'user' if message.role == 'tool' else message.role }}|>"
    "{% if message.role == 'tool' %}<tool_response>{{ message.content }}</tool_response>"
    "{% else %}{{ message.content }}{% endif %}"
    "{% for call in message.tool_calls or [] %}"
    '\n<tool_call>\n{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}'
    "\n</tool_call>{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""In the form of Hermes and Qwen3."""
SPECIAL = ["<pad>", "<s>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]


def tiny_tokenizer(chat_template: str | None, more: Sequence[str] = ()) -> PreTrainedTokenizerFast:
    """A tokenizer of 400 tokens, those in `more` special ones."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        LINES, trainers.BpeTrainer(vocab_size=400, special_tokens=[*SPECIAL, *more], initial_alphabet=alphabet)
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="<|end|>",
        pad_token="<pad>",
        additional_special_tokens=[*SPECIAL[3:], *more],
    )
    fast.chat_template = chat_template
    return fast


def make_tiny_llama(folder: Path, chat_template: str | None = CHAT_TEMPLATE) -> Path:
    fast = tiny_tokenizer(chat_template)
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT_TOKENS,
        bos_token_id=fast.bos_token_id,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
