"""Measures any engine."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from chatbot.engine.protocol import Delta, Embeddings, Engine, GenerationRequest, ModelInfo
from chatbot.errors import ApiError
from chatbot.telemetry import Metrics


class MeteredEngine:
    """Passes everything on, and counts and times the answers."""

    def __init__(self, engine: Engine, metrics: Metrics, model_name: str) -> None:
        self.parallel = engine.parallel
        self._engine = engine
        self._metrics = metrics
        self._model = model_name
        self._in_flight = 0
        self._count(0)
        if engine.kv_cache_usage() is not None:
            metrics.kv_cache.labels(model_name).set_function(lambda: engine.kv_cache_usage() or 0)

    def kv_cache_usage(self) -> float | None:
        """See `Engine.kv_cache_usage`."""
        return self._engine.kv_cache_usage()

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        """See `Engine.stream`."""
        started = time.perf_counter()
        last: float | None = None
        ended = "abort"
        self._count(+1)
        try:
            async with aclosing(self._engine.stream(request)) as deltas:
                async for delta in deltas:
                    now = time.perf_counter()
                    if delta.is_output:
                        metric = self._metrics.inter_token if last else self._metrics.first_token
                        metric.labels(self._model).observe(now - (last or started))
                        last = now
                    if delta.finish_reason:
                        ended = delta.finish_reason
                        self._finish(delta, now - started)
                    yield delta
        except Exception as error:
            # What the engine refuses, as too long a question, it never began.
            is_refusal = isinstance(error, ApiError) and error.status < 500
            ended = "" if is_refusal else "error"
            raise
        finally:
            self._count(-1)
            if ended:
                self._metrics.success.labels(self._model, ended).inc()

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `Engine.embed`."""
        return await self._engine.embed(texts)

    async def describe(self) -> ModelInfo:
        """See `Engine.describe`."""
        return await self._engine.describe()

    async def check(self) -> None:
        """See `Engine.check`."""
        await self._engine.check()

    async def close(self) -> None:
        """See `Engine.close`."""
        await self._engine.close()

    def _count(self, change: int) -> None:
        self._in_flight += change
        running = self._in_flight if self.parallel is None else min(self._in_flight, self.parallel)
        self._metrics.running.labels(self._model).set(running)
        self._metrics.waiting.labels(self._model).set(self._in_flight - running)

    def _finish(self, delta: Delta, seconds: float) -> None:
        self._metrics.whole_request.labels(self._model).observe(seconds)
        if delta.usage:
            self._metrics.prompt_tokens.labels(self._model).inc(delta.usage.prompt_tokens)
            self._metrics.generation_tokens.labels(self._model).inc(delta.usage.completion_tokens)
