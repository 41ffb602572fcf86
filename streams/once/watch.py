"""Watch: whether this worker is in touch with Kafka, and whether anything moves."""

import logging
import time
from collections.abc import Iterable

from streams.once.engine import Engine
from streams.once.failure import die
from streams.once.owner import Owner, State

log = logging.getLogger(__name__)


class Watch:
    """Looks every second. Takes the place of Faust's watchdog, which misreads batches as a stalled stream."""

    def __init__(self, engine: Engine) -> None:
        self._session_timeout = engine.session_timeout
        self._stalled_after = 2 * engine.unit_deadline
        self._worked_at = self._touched_at = time.monotonic()
        self._silent = False

    @property
    def in_touch(self) -> bool:
        """Kafka answered within the session timeout; after it others may have our partitions."""
        return time.monotonic() - self._touched_at < self._session_timeout

    def worked(self) -> None:
        """A unit of this worker ended."""
        self._worked_at = time.monotonic()

    def look(self, owners: Iterable[Owner], *, in_touch: bool) -> None:
        """Ends the process if a batch was drained and not dealt with, while no other one was.

        On a worker with many partitions batches wait for their turn; then units end all the time.
        """
        now = time.monotonic()
        self._touch(now, in_touch)
        if now - self._worked_at <= self._stalled_after:
            return
        for owner in owners:
            since = owner.inflight_since
            if owner.state is State.READY and since is not None and now - since > self._stalled_after:
                die(
                    f"{owner.tp.topic}[{owner.tp.partition}]: stalled: a batch was drained "
                    f"{now - since:.0f} s ago and not dealt with"
                )

    def _touch(self, now: float, in_touch: bool) -> None:
        if in_touch:
            if self._silent:
                log.warning("Kafka answers again", extra=self._since(now))
            self._silent, self._touched_at = False, now
        elif not self._silent and not self.in_touch:
            log.warning("Kafka does not answer", extra=self._since(now))
            self._silent = True

    def _since(self, now: float) -> dict[str, float]:
        return {"seconds": round(now - self._touched_at, 1)}
