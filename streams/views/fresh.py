"""Fresh: what was made a moment ago serves whoever else asks, so that many cost no more than one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """Something that is made when it is asked for, and made anew only once it is ``seconds`` old."""

    def __init__(self, make: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._make = make
        self._seconds = seconds
        self._made: tuple[float, T] | None = None
        self._making = asyncio.Lock()

    async def get(self) -> T:
        """Whoever asks while it is made waits for it. Raises what making it does, and keeps nothing then."""
        async with self._making:
            if self._made is None or time.monotonic() - self._made[0] > self._seconds:
                made = await self._make()
                self._made = (time.monotonic(), made)
            return self._made[1]
