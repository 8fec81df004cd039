"""An engine that says what a test tells it to, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any

from chatbot.engine.protocol import (
    ContextLengthExceededError,
    Delta,
    Embeddings,
    EngineUnavailableError,
    GenerationRequest,
    ImagesUnsupportedError,
    ModelInfo,
    ToolCall,
    Usage,
)


class ScriptedEngine:
    """Streams `words`, text and calls; the vectors of all texts are the same."""

    parallel: int | None = 1

    def __init__(self, words: Sequence[str | ToolCall] = ("Hello", " there", "."), pause_seconds: float = 0.0) -> None:
        self.words = words
        self.pause_seconds = pause_seconds
        self.requests: list[GenerationRequest] = []
        self.written = 0
        self.was_cancelled = asyncio.Event()
        self.fits: Callable[[GenerationRequest], bool] = lambda request: True
        self.break_after: int | None = None
        self.failure: str | None = None
        self.images = True

    def kv_cache_usage(self) -> float | None:
        return None

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        await self.check()
        self.requests.append(request)
        if request.has_images and not self.images:
            raise ImagesUnsupportedError("scripted reads text only")
        if not self.fits(request):
            raise ContextLengthExceededError(1000, 100)
        try:
            yield Delta()
            for number, word in enumerate(self.words):
                if number == self.break_after:
                    raise EngineUnavailableError("it broke")
                yield Delta(word) if isinstance(word, str) else Delta(tool_call=word)
                self.written += 1
                await asyncio.sleep(self.pause_seconds)
        except (asyncio.CancelledError, GeneratorExit):
            self.was_cancelled.set()
            raise
        has_called = any(isinstance(word, ToolCall) for word in self.words)
        yield Delta("", "tool_calls" if has_called else "stop", Usage(7, len(self.words)))

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        return Embeddings([[1.0, 0.0] for _ in texts], len(texts))

    async def describe(self) -> ModelInfo:
        return ModelInfo("scripted", "transformers", 100, tools=True, images=self.images)

    async def check(self) -> None:
        if self.failure:
            raise EngineUnavailableError(self.failure)

    async def close(self) -> None:
        pass

    async def leave(self, asking: Coroutine[Any, Any, object], words: int = 3) -> None:
        """Ask, read that many words, and leave; return once the engine has been told."""
        asked = asyncio.create_task(asking)
        while self.written < words and not asked.done():
            await asyncio.sleep(0.01)
        assert asked.cancel(), "the answer ended before its reader left"
        await asyncio.wait_for(self.was_cancelled.wait(), 20)
