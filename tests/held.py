"""Held: a fault of a worker whose restores take as long as a test needs."""

import asyncio
import os
import time
from typing import Any

from streams.once.restore import Restorer

STANDSTILL = 0.2
"""Seconds that the loop stands still at a time."""


def hold_restores(file: str) -> None:
    """No restore ends while ``file`` is there; the loop hardly gets to anything else, as with a slow disk."""
    go_on = Restorer._advance

    async def advance(restorer: Restorer, consumer: Any) -> None:
        while os.access(file, os.F_OK):
            time.sleep(STANDSTILL)  # noqa: ASYNC251 - it is what goes wrong
            await asyncio.sleep(0)
        await go_on(restorer, consumer)

    Restorer._advance = advance  # type: ignore[assignment,method-assign]
