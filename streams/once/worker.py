"""Worker: Faust's, ending in one line where Faust would print a traceback and wait."""

import asyncio
import gc
import signal

import faust

from streams.once.failure import die, where

_YOUNG = 50_000
"""Objects between two runs of Python's cycle collector. With its default of 700 it took a quarter of the
ledger's CPU time (118 us an event, not 90), going through batches and state that hold no cycles."""


class Worker(faust.Worker):
    """Starts and stops an app.

    When the app has stopped everything of ours is closed; the two seconds that mode then still
    sleeps are left out.
    """

    async def start(self) -> None:
        gc.freeze()
        gc.set_threshold(_YOUNG)
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
