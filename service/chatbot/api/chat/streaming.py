"""Streams over HTTP: pauses, clients that leave, and cleaning up behind both."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

T = TypeVar("T")


class ClientGoneError(Exception):
    """Nobody waits for the response any more."""


class EventStream(StreamingResponse):
    """Server-sent events; the generator is closed when the client leaves, not when it happens to be collected."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncGenerator[str]) -> None:
        super().__init__(content, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._content = content

    async def stream_response(self, send: Send) -> None:
        """See Starlette's."""
        async with aclosing(self._content):
            await super().stream_response(send)


async def with_pauses(source: AsyncGenerator[T], seconds: float) -> AsyncGenerator[T | None]:
    """The items of `source`; None whenever the next one takes longer than `seconds`.

    `source` runs in tasks of its own, so that its cleaning up may wait for things although the response was cancelled.
    """
    waiting: asyncio.Future[T] | None = None
    try:
        while True:
            if waiting is None:
                waiting = asyncio.ensure_future(anext(source))
            if not (await asyncio.wait({waiting}, timeout=seconds))[0]:
                yield None
                continue
            done, waiting = waiting, None
            try:
                item = done.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        if waiting is not None:
            waiting.cancel()
        in_background(_closed(source, waiting))


async def _closed(source: AsyncGenerator[T], waiting: asyncio.Future[T] | None) -> None:
    """Close `source` after the task in it has ended, which may have got its item before it could be cancelled."""
    if waiting is not None:
        await asyncio.wait({waiting})
        if not waiting.cancelled():
            waiting.exception()  # nobody waits for it any more
    await source.aclose()


async def accepted(source: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """`source`, after its first item was awaited: an error that it begins with is raised here and now."""
    chained = _chained(source)
    await anext(chained)
    return chained


async def unless_client_leaves(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client closes its connection first.

    Raises:
        ClientGoneError: it did.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_departure(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGoneError
    finally:
        gone.cancel()
        task.cancel()


_background: set[asyncio.Future[Any]] = set()


def in_background(work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
    """Run `work` to its end, whatever happens to the caller (the event loop alone would forget it)."""
    task = asyncio.ensure_future(work)
    _background.add(task)
    task.add_done_callback(_background.discard)
    return task


async def _chained(source: AsyncGenerator[T]) -> AsyncGenerator[T]:
    async with aclosing(source):
        first = await anext(source)
        yield first  # to `accepted`: closing a generator that has not begun would not close its source
        yield first
        async for item in source:
            yield item


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
