"""Streams are closed to their source, whenever the reader leaves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from chatbot.api.chat.streaming import accepted, with_pauses


class Source:
    """One item when the gate opens, then another; remembers that it was closed."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.closed = asyncio.Event()

    async def items(self) -> AsyncGenerator[int]:
        try:
            await self.gate.wait()
            yield 1
            await asyncio.sleep(60)
            yield 2
        finally:
            self.closed.set()


@pytest.mark.parametrize("turns_of_the_loop", range(6))
async def test_leaving_just_when_an_item_comes_closes_the_source(turns_of_the_loop: int) -> None:
    source = Source()

    async def read() -> None:
        async with aclosing(with_pauses(source.items(), 60)) as items:
            async for _ in items:
                pass

    reader = asyncio.ensure_future(read())
    await asyncio.sleep(0.01)
    source.gate.set()
    for _ in range(turns_of_the_loop):
        await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait({reader})
    # What the cyclic garbage collector would close some day does not count.
    await asyncio.wait_for(source.closed.wait(), 20)


async def test_an_accepted_stream_that_is_never_read_is_closed() -> None:
    source = Source()
    source.gate.set()
    stream = await accepted(source.items())
    await stream.aclose()
    assert source.closed.is_set()


async def test_an_accepted_stream_has_all_items() -> None:
    async def items() -> AsyncGenerator[int]:
        for number in range(3):
            yield number

    assert [item async for item in await accepted(items())] == [0, 1, 2]
