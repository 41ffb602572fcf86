"""A crowd at the pages leaves time to the stream."""

import asyncio
import time

import pytest

from streams.views.turns import Turns

WORK = 0.02


async def page(turns: Turns) -> None:
    async with turns:
        time.sleep(WORK)  # noqa: ASYNC251  pages work on the event loop


async def test_the_stream_comes_on_between_two_pages_of_a_crowd() -> None:
    """Ten pages that are asked for at once hold it up no longer than one does, and for half of the time."""
    turns, waits = Turns(), []

    async def stream() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0)
            waits.append(time.monotonic() - before)

    streaming = asyncio.create_task(stream())
    begun = time.monotonic()
    await asyncio.gather(*(page(turns) for _ in range(10)))
    took = time.monotonic() - begun
    streaming.cancel()
    blocked = [each for each in waits if each >= WORK]
    assert len(blocked) == 10
    assert took >= 19 * WORK


async def test_a_single_page_waits_for_nothing() -> None:
    """The rest comes after it."""
    begun = time.monotonic()
    await page(Turns())
    assert time.monotonic() - begun < 2 * WORK


async def test_a_page_that_fails_gives_its_turn_back() -> None:
    """The next one is shown."""
    turns = Turns()
    with pytest.raises(ZeroDivisionError):
        async with turns:
            raise ZeroDivisionError
    async with asyncio.timeout(1):
        await page(turns)
