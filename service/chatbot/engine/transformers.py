"""A language model, one that sees images or not, run by PyTorch and transformers in this process.

One answer at a time, in the order of the requests: `generate` with a streamer, in one worker thread. transformers'
continuous batching would serve many at once, but one bad request ends it for everybody; see docs/decisions.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
import torch
from transformers import BatchFeature, StoppingCriteria, StoppingCriteriaList, TextStreamer

from chatbot.engine import prompt
from chatbot.engine.embedding import Embedder
from chatbot.engine.protocol import (
    ContextLengthExceededError,
    Delta,
    Embeddings,
    EngineUnavailableError,
    GenerationRequest,
    ImagesUnsupportedError,
    ModelInfo,
    ToolsUnsupportedError,
    Usage,
)
from chatbot.engine.text_answer import TextAnswer
from chatbot.engine.thoughts import OPEN
from chatbot.engine.tool_form import knows_tools

if TYPE_CHECKING:
    from chatbot.engine.sight import Sight

DEFAULT_ANSWER_TOKENS = 1024
DEFAULT_THINKING_TOKENS = 4096
"""On top, where a model's template makes it think before each answer."""
TAG_TOKENS = 16
"""More than `<think>` and a line end can be."""
GREEDY_BELOW = 0.01
"""A temperature divides the model's numbers, which a tiny one takes beyond what a float holds: a fault on a card."""
FORM = "Hermes and Qwen3 (<tool_call> with a JSON object)"

log = structlog.get_logger()


@dataclass(eq=False)
class _Job:
    """One answer on its way; shared by the event loop and the worker thread."""

    inputs: Any
    """What `generate` gets: token ids (1, n) and, of a model that sees, its images."""
    max_tokens: int
    request: GenerationRequest
    loop: asyncio.AbstractEventLoop
    pieces: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    written: int = 0
    """Tokens the model wrote."""
    ended: bool = False
    """Whether the model itself ended the answer."""

    @property
    def prompt_tokens(self) -> int:
        """Tokens the model reads."""
        return int(self.inputs["input_ids"].shape[1])

    def put(self, text: str | None) -> None:
        self.loop.call_soon_threadsafe(self.pieces.put_nowait, text)


class _Streamer(TextStreamer):
    """Hands the decoded text to the event loop."""

    def __init__(self, tokenizer: Any, job: _Job) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._job = job

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002  the base class's
        if text:
            self._job.put(text)


class _Watch(StoppingCriteria):
    """Counts the tokens and ends the work when nobody waits for it any more."""

    def __init__(self, job: _Job) -> None:
        self._job = job

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # noqa: ARG002  the base class's
        self._job.written = input_ids.shape[1] - self._job.prompt_tokens
        return torch.full((input_ids.shape[0],), self._job.cancelled.is_set(), device=input_ids.device)


class TransformersEngine:
    """The engine of a loaded model; `model` and `tokenizer` are transformers' own, whose types it does not publish."""

    parallel: int | None = 1

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        embedder: Embedder,
        name: str,
        context_tokens: int,
        *,
        sight: "Sight | None" = None,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._embedder = embedder
        self._info = ModelInfo(name, "transformers", context_tokens, knows_tools(tokenizer), sight is not None)
        self._sight = sight
        self._context_tokens = context_tokens
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._failure: str | None = None
        self._jobs: set[_Job] = set()
        self._in_work: _Job | None = None
        self._stops = () if tokenizer.chat_template else (prompt.PLAIN_TURN,)

    def kv_cache_usage(self) -> float | None:
        """See `Engine.kv_cache_usage`."""
        job = self._in_work
        return (job.prompt_tokens + job.written) / self._context_tokens if job else 0.0

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        """See `Engine.stream`."""
        await self.check()
        if request.is_agentic and not self._info.tools:
            raise ToolsUnsupportedError(f"the chat template of {self._info.id} knows none in the form of {FORM}")
        if request.has_images and self._sight is None:
            raise ImagesUnsupportedError(f"{self._info.id} reads text only")
        job = _Job(await asyncio.to_thread(self._inputs, request), 0, request, asyncio.get_running_loop())
        if job.prompt_tokens >= self._context_tokens:
            raise ContextLengthExceededError(job.prompt_tokens, self._context_tokens)
        room = self._context_tokens - job.prompt_tokens
        is_thinking = self._ends_in_thoughts(job)
        tokens = DEFAULT_ANSWER_TOKENS + (DEFAULT_THINKING_TOKENS if is_thinking else 0)
        job.max_tokens = min(request.max_tokens or tokens, room)
        answer = TextAnswer(request, (*request.stop, *self._stops), is_thinking=is_thinking)
        self._jobs.add(job)
        done = job.loop.run_in_executor(self._thread, self._generate, job)
        try:
            yield Delta()
            while not answer.is_over and (piece := await job.pieces.get()) is not None:
                for delta in answer.feed(piece):
                    yield delta
            job.cancelled.set()
            await done
            for delta in answer.rest():
                yield delta
            yield Delta("", answer.reason(has_ended=job.ended), Usage(job.prompt_tokens, job.written))
        finally:
            job.cancelled.set()
            self._jobs.discard(job)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `Engine.embed`."""
        return await self._embedder.embed(texts)

    async def describe(self) -> ModelInfo:
        """See `Engine.describe`."""
        return self._info

    async def check(self) -> None:
        """See `Engine.check`."""
        if self._failure:
            raise EngineUnavailableError(self._failure)

    async def close(self) -> None:
        """Cancel the answers in work and end the threads."""
        for job in self._jobs:
            job.cancelled.set()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        await asyncio.to_thread(self._embedder.close)

    def _inputs(self, request: GenerationRequest) -> Any:
        if self._sight:
            return self._sight.inputs(request.messages, request.tools)
        ids = torch.tensor([prompt.encode(self._tokenizer, request.messages, request.tools)])
        return BatchFeature({"input_ids": ids, "attention_mask": torch.ones_like(ids)})

    def _ends_in_thoughts(self, job: _Job) -> bool:
        end: str = self._tokenizer.decode(job.inputs["input_ids"][0, -TAG_TOKENS:])
        return end.rstrip().endswith(OPEN)

    def _generate(self, job: _Job) -> None:
        """Worker thread: write one answer into the job's queue, whatever happens a None at the end."""
        try:
            if not job.cancelled.is_set():
                self._in_work = job
                self._write(job)
        except torch.AcceleratorError as error:
            # After a fault the device's context is lost for the whole process: only a restart helps.
            self._failure = "the accelerator failed; the engine must be restarted"
            log.error("accelerator_failed", exc_info=error)
            raise EngineUnavailableError(self._failure) from error
        finally:
            self._in_work = None
            job.put(None)

    def _write(self, job: _Job) -> None:
        if job.request.seed is not None:
            torch.manual_seed(job.request.seed)
        with torch.inference_mode():
            output = self._model.generate(
                # Only the images' numbers are of a type that changes.
                **job.inputs.to(self._model.device, dtype=self._model.dtype),
                streamer=_Streamer(self._tokenizer, job),
                stopping_criteria=StoppingCriteriaList([_Watch(job)]),
                max_new_tokens=job.max_tokens,
                **_sampling(job.request),
                **({"eos_token_id": None} if job.request.ignore_eos else {}),
            )
        job.written = output.shape[1] - job.prompt_tokens
        job.ended = not job.request.ignore_eos and int(output[0, -1]) in self._end_ids()

    def _end_ids(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id
        return set(ends) if isinstance(ends, list) else {ends}


def _sampling(request: GenerationRequest) -> dict[str, Any]:
    """The arguments of `generate`; nothing for what the client left open, so that the model's own settings hold."""
    if request.temperature is not None and request.temperature < GREEDY_BELOW:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    asked = {"temperature": request.temperature, "top_p": request.top_p, "top_k": request.top_k}
    given = {name: value for name, value in asked.items() if value is not None}
    return {"do_sample": True, **given} if given else {}
