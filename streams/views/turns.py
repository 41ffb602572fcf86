"""Turns: however many pages are asked for at once, the stream has half of the time."""

import asyncio


class Turns:
    """Pages work one at a time, ``async with`` this, and rest between two for as long as the first took.

    They share the event loop with the stream: without turns, all that were asked for at once would work in
    one go before it came on again. Hold no turn while waiting for anything.
    """

    def __init__(self) -> None:
        self._taken = asyncio.Lock()
        self._begun = 0.0

    async def __aenter__(self) -> None:
        await self._taken.acquire()
        self._begun = asyncio.get_running_loop().time()

    async def __aexit__(self, *raised: object) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(loop.time() - self._begun, self._taken.release)
