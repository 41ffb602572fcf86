"""A crowd at the pages leaves time to the stream."""

import asyncio
import time
from itertools import pairwise

import pytest

from streams.views.turns import Turns

WORK = 0.02


async def page(turns: Turns, done: list[str]) -> None:
    async with turns:
        time.sleep(WORK)  # noqa: ASYNC251  pages work on the event loop
        done.append("page")


async def test_the_stream_comes_on_between_two_pages_of_a_crowd() -> None:
    """Ten pages that are asked for at once hold it up no longer than one does, and for half of the time."""
    turns, done = Turns(), list[str]()

    async def stream() -> None:
        while True:
            done.append("stream")
            await asyncio.sleep(0)

    streaming = asyncio.create_task(stream())
    begun = time.monotonic()
    await asyncio.gather(*(page(turns, done) for _ in range(10)))
    took = time.monotonic() - begun
    streaming.cancel()
    assert done.count("page") == 10
    assert ("page", "page") not in pairwise(done)
    assert took >= 19 * WORK


async def test_a_single_page_waits_for_nothing() -> None:
    """The rest comes after it."""
    turns, done = Turns(), list[str]()
    asyncio.get_running_loop().call_soon(done.append, "stream")
    await page(turns, done)
    assert done == ["page"]


async def test_a_page_that_fails_gives_its_turn_back() -> None:
    """The next one is shown."""
    turns = Turns()
    with pytest.raises(ZeroDivisionError):
        async with turns:
            raise ZeroDivisionError
    async with asyncio.timeout(1):
        await page(turns, [])
