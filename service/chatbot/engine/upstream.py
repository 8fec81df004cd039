"""An engine behind an OpenAI-compatible HTTP API: ours in its own pod, vLLM, or a whole serving stack."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import openai
import structlog
from openai.types.chat import ChatCompletionChunk

from chatbot.engine.protocol import (
    ContextLengthExceededError,
    Delta,
    Embeddings,
    EngineKind,
    EngineUnavailableError,
    FinishReason,
    GenerationRequest,
    ModelInfo,
    Usage,
)
from chatbot.engine.thoughts import Thoughts
from chatbot.engine.wire import GatheredCalls, message, tool
from chatbot.errors import ApiError
from chatbot.tracing import carry_context

RETRY_SECONDS = 0.5
DESCRIBE_SECONDS = 30.0
CHECK_SECONDS = 2.0
READ_SECONDS = 600.0
BATCH_TEXTS = 64
AWAY = (502, 503, 504)
"""Statuses of a server that starts, drains or is not there; 500 is a fault that trying again would only repeat."""
TOO_LONG = ("maximum context length", "maximum model length")
"""How vLLM says that the messages do not fit; its code is just 400."""

T = TypeVar("T")
log = structlog.get_logger()


class UpstreamEngine:
    """Speaks to the engine; requests wait a bounded time while it restarts."""

    parallel: int | None = None

    def __init__(self, url: str, key: str, hold_seconds: float) -> None:
        # Retries are ours: the client would give up after two, in seconds.
        self._client = openai.AsyncOpenAI(
            base_url=url,
            api_key=key,
            max_retries=0,
            timeout=openai.Timeout(READ_SECONDS, connect=2.0),
            http_client=openai.DefaultAsyncHttpxClient(event_hooks={"request": [carry_context]}),
        )
        self._url = url
        self._hold_seconds = hold_seconds
        self._described: tuple[float, ModelInfo] | None = None

    def kv_cache_usage(self) -> float | None:
        """None: see `Engine.kv_cache_usage`."""
        return None

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Delta]:
        """See `Engine.stream`."""
        info = await self._held(self._describe)
        chunks = await self._held(lambda: self._open(request, info))
        async with chunks:
            yield Delta()
            usage: Usage | None = None
            reason: FinishReason | None = None
            calls = GatheredCalls()
            thoughts = Thoughts()
            try:
                async for chunk in chunks:
                    usage = _usage(chunk) or usage
                    for choice in chunk.choices:
                        if choice.delta.content and (shown := thoughts.feed(choice.delta.content)):
                            yield Delta(shown)
                        calls.add(choice.delta.tool_calls or ())
                        if choice.finish_reason:
                            reason = _reason(choice.finish_reason)
            except openai.APIConnectionError as error:
                raise EngineUnavailableError("the connection broke in the middle of the answer") from error
            except openai.APIError as error:
                raise EngineUnavailableError(error.message) from error
            if reason is None:
                raise EngineUnavailableError("the answer ended in the middle")
            if rest := thoughts.rest():
                yield Delta(rest)
            for call in calls.whole():
                yield Delta(tool_call=call)
            yield Delta("", reason, usage)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """See `Engine.embed`."""
        model = (await self._held(self._describe)).id
        vectors: list[list[float]] = []
        tokens = 0
        for start in range(0, len(texts), BATCH_TEXTS):
            batch = list(texts[start : start + BATCH_TEXTS])
            answer = await self._held(partial(self._client.embeddings.create, model=model, input=batch))
            vectors.extend(item.embedding for item in answer.data)
            tokens += answer.usage.prompt_tokens
        return Embeddings(vectors, tokens)

    async def describe(self) -> ModelInfo:
        """See `Engine.describe`."""
        return await self._held(self._describe)

    async def check(self) -> None:
        """See `Engine.check`."""
        self._described = None
        await self._once(self._describe)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _describe(self) -> ModelInfo:
        now = time.monotonic()
        if self._described and now - self._described[0] < DESCRIBE_SECONDS:
            return self._described[1]
        models = (await self._client.with_options(timeout=CHECK_SECONDS).models.list()).data
        if not models:
            raise EngineUnavailableError(f"{self._url}/models lists no model")
        extra = models[0].model_extra or {}
        context = extra.get("max_model_len")
        tools, images = extra.get("tools"), extra.get("images")
        info = ModelInfo(
            models[0].id,
            _kind(extra.get("engine")),
            context if isinstance(context, int) else None,
            tools if isinstance(tools, bool) else None,
            images if isinstance(images, bool) else None,
        )
        self._described = (now, info)
        return info

    async def _open(self, request: GenerationRequest, info: ModelInfo) -> openai.AsyncStream[ChatCompletionChunk]:
        # Only our quotation engine knows passages; another server could refuse the field.
        extra: dict[str, Any] = {}
        if request.top_k is not None:
            extra["top_k"] = request.top_k
        if request.ignore_eos:
            extra["ignore_eos"] = True
        if info.engine == "quotation":
            extra["passages"] = [
                {"index": passage.index, "title": passage.title, "text": passage.text} for passage in request.passages
            ]
        given = {
            "max_completion_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "stop": list(request.stop) or None,
            "seed": request.seed,
            "tools": [tool(offered) for offered in request.tools] or None,
            "parallel_tool_calls": None if request.parallel_tool_calls else False,
        }
        return cast(
            openai.AsyncStream[ChatCompletionChunk],
            await self._client.chat.completions.create(
                model=info.id,
                messages=cast(Any, [message(turn) for turn in request.messages]),
                stream=True,
                stream_options={"include_usage": True},
                extra_body=extra,
                **cast(Any, {name: value for name, value in given.items() if value is not None}),
            ),
        )

    async def _held(self, call: Callable[[], Awaitable[T]]) -> T:
        """Try until the engine answers, at most `hold_seconds`: a new engine pod comes only after the old one ended."""
        deadline = time.monotonic() + self._hold_seconds
        while True:
            try:
                return await self._once(call)
            except EngineUnavailableError:
                if time.monotonic() + RETRY_SECONDS > deadline:
                    raise
            self._described = None
            await asyncio.sleep(RETRY_SECONDS)

    async def _once(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await call()
        except openai.APIConnectionError as error:
            log.warning("engine_unavailable", reason=type(error).__name__)
            raise EngineUnavailableError("the engine does not answer (it may be starting)") from error
        except openai.AuthenticationError as error:
            raise EngineUnavailableError(
                "the engine refuses our key: api and engine must have the same CHATBOT_ENGINE_KEY_FILE"
            ) from error
        except openai.APIStatusError as error:
            if error.status_code in AWAY:
                raise EngineUnavailableError("the engine is not ready") from error
            raise _refusal(error) from error


def _kind(declared: object) -> EngineKind:
    """Ours says what it is; any other server is just upstream."""
    match declared:
        case "transformers" | "quotation":
            return declared
        case _:
            return "upstream"


def _reason(declared: str) -> FinishReason:
    match declared:
        case "length" | "tool_calls":
            return declared
        case _:
            return "stop"


def _usage(chunk: ChatCompletionChunk) -> Usage | None:
    return Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens) if chunk.usage else None


def _refusal(error: openai.APIStatusError) -> ApiError:
    """The engine's own refusal, passed on."""
    code = error.code if isinstance(error.code, str) else None
    is_too_long = error.status_code == 400 and any(words in error.message for words in TOO_LONG)
    if code == "context_length_exceeded" or is_too_long:
        passed_on = ContextLengthExceededError(0, 0)
        passed_on.message = error.body["message"] if isinstance(error.body, dict) else error.message
        return passed_on
    return ApiError(error.status_code, error.message, code=code, param=error.param)
