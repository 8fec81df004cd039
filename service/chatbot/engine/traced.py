"""Traces any engine, in the words of OpenTelemetry's conventions for generative AI."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from opentelemetry.trace import Span, SpanKind

from chatbot.engine.protocol import Delta, Embeddings, Engine, GenerationRequest, ModelInfo
from chatbot.tracing import begin, operation, within

# Written out: the package of conventions no longer has those for generative AI.
OPERATION = "gen_ai.operation.name"
PARAMETERS = ("max_tokens", "temperature", "top_p", "top_k", "seed")


class TracedEngine:
    """Passes everything on, with a span for each answer and each batch of embeddings."""

    def __init__(self, engine: Engine, kind: SpanKind) -> None:
        """`kind`: CLIENT where the engine is another process, else INTERNAL."""
        self.parallel = engine.parallel
        self._engine = engine
        self._kind = kind

    def kv_cache_usage(self) -> float | None:
        """See `Engine.kv_cache_usage`."""
        return self._engine.kv_cache_usage()

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        """See `Engine.stream`."""
        asked = {f"gen_ai.request.{name}": getattr(request, name) for name in PARAMETERS}
        given = {name: value for name, value in asked.items() if value is not None}
        span = begin("chat", self._kind, {OPERATION: "chat", "gen_ai.request.stream": True, **given})
        started = time.perf_counter()
        has_output = False
        try:
            # A generator's pieces run in different tasks: the span is the current one inside each, never across them.
            with within(span):
                _name(span, await self._engine.describe())
            async with aclosing(self._engine.stream(request)) as deltas:
                while True:
                    with within(span):
                        delta = await anext(deltas, None)
                    if delta is None:
                        break
                    if delta.is_output and not has_output:
                        has_output = True
                        span.set_attribute("gen_ai.response.time_to_first_chunk", time.perf_counter() - started)
                    if delta.finish_reason:
                        _finish(span, delta)
                    yield delta
        finally:
            span.end()

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `Engine.embed`."""
        with operation("embeddings", self._kind, {OPERATION: "embeddings"}) as span:
            embeddings = await self._engine.embed(texts)
            span.set_attribute("gen_ai.usage.input_tokens", embeddings.tokens)
            return embeddings

    async def describe(self) -> ModelInfo:
        """See `Engine.describe`."""
        return await self._engine.describe()

    async def check(self) -> None:
        """See `Engine.check`."""
        await self._engine.check()

    async def close(self) -> None:
        """See `Engine.close`."""
        await self._engine.close()


def _name(span: Span, info: ModelInfo) -> None:
    span.update_name(f"chat {info.id}")
    span.set_attribute("gen_ai.request.model", info.id)
    span.set_attribute("gen_ai.provider.name", info.engine)


def _finish(span: Span, delta: Delta) -> None:
    span.set_attribute("gen_ai.response.finish_reasons", [delta.finish_reason or ""])
    if delta.usage:
        span.set_attribute("gen_ai.usage.input_tokens", delta.usage.prompt_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", delta.usage.completion_tokens)
