"""Worker: Faust's, ending in one line where Faust would print a traceback and wait."""

import asyncio
import gc
import logging
import signal
from typing import Any

import faust

from streams.once.failure import die, where

log = logging.getLogger(__name__)

_YOUNG = 50_000
"""Objects between two runs of Python's cycle collector. With its default of 700 it took a quarter of the
ledger's CPU time (118 us an event, not 90), going through batches and state that hold no cycles."""


class Worker(faust.Worker):
    """Starts and stops an app.

    When the app has stopped everything of ours is closed; the two seconds that mode then still
    sleeps are left out. Logs are set up by whoever makes the app: nothing of Faust's is put over them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"override_logging": False, "quiet": True})
        self.spinner = None

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

    def _schedule_shutdown(self, how: signal.Signals) -> None:
        log.info("stopping", extra={"signal": how.name})
        super()._schedule_shutdown(how)

    def _shutdown_loop(self) -> None:
        super()._shutdown_loop()
        log.info("stopped", extra={"exit_code": 0})

    def _gather_all(self) -> None:
        for task in asyncio.all_tasks(loop=self.loop):
            task.cancel()

    async def _sentinel_task(self) -> None:
        await asyncio.sleep(0)
