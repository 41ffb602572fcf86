"""Worker: Faust's, ending in one line where Faust would print a traceback and wait."""

import asyncio
import signal

import faust

from streams.once.failure import die, where


class Worker(faust.Worker):
    """Starts and stops an app.

    When the app has stopped everything of ours is closed; the two seconds that mode then still
    sleeps are left out.
    """

    async def start(self) -> None:
        try:
            await super().start()
        except Exception as error:
            die(f"the worker did not start: {where(error)}")

    async def crash(self, reason: BaseException) -> None:
        die(f"the worker crashed: {where(reason)}")

    def _on_sigint(self) -> None:
        # mode's own carps a line of "-INT-" at whoever typed Ctrl-C.
        self._schedule_shutdown(signal.SIGINT)

    def _gather_all(self) -> None:
        for task in asyncio.all_tasks(loop=self.loop):
            task.cancel()

    async def _sentinel_task(self) -> None:
        await asyncio.sleep(0)
