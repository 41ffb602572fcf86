"""Worker: Faust's, without the two fixed seconds that it waits after everything has stopped."""

import asyncio

import faust


class Worker(faust.Worker):
    """Everything of ours is closed when the app has stopped; what mode still sleeps for is not ours."""

    def _gather_all(self) -> None:
        for task in asyncio.all_tasks(loop=self.loop):
            task.cancel()

    async def _sentinel_task(self) -> None:
        await asyncio.sleep(0)
