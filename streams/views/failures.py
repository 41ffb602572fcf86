"""Failures: how often somebody may be wrong about who they are."""

import time
from collections import OrderedDict, deque

ALLOWED = 10
WITHIN = 300.0
"""Seconds."""
_ADDRESSES = 10_000
"""Kept at most: whoever has more addresses than that pushes out their own."""


class Failures:
    """Failed logins by address."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, address: str) -> None:
        self._failed.setdefault(address, deque(maxlen=ALLOWED)).append(time.monotonic())
        self._failed.move_to_end(address)
        if len(self._failed) > _ADDRESSES:
            self._failed.popitem(last=False)

    def wait(self, address: str) -> float:
        """Seconds until ``address`` may try again; 0 if it may now."""
        times = self._failed.get(address)
        if times is None or len(times) < ALLOWED:
            return 0.0
        return max(0.0, times[0] + WITHIN - time.monotonic())
