"""Consumer: aiokafka's, that ends when it is told to."""

import asyncio

from aiokafka import AIOKafkaConsumer

_AGAIN = 0.5
"""Seconds after which it is told once more."""


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]
    """Told to stop just after its assignment changed, aiokafka's goes on for ever.

    Its fetcher then waits for requests that it cancelled, and takes its own cancellation for theirs (0.14.0,
    consumer/fetcher.py, `_fetch_requests_routine`). A worker whose restores were read by such a one never
    acquired a partition again.
    """

    async def stop(self) -> None:
        stopping = asyncio.create_task(super().stop())
        try:
            while not stopping.done():
                await asyncio.wait({stopping}, timeout=_AGAIN)
                if not stopping.done() and self._fetcher is not None:
                    self._fetcher._fetch_task.cancel()
        finally:
            stopping.cancel()
        await stopping
