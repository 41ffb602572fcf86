"""Slot: a folder for one worker's local stores, so that several workers can share a data folder."""

import fcntl
import os
from itertools import count
from pathlib import Path


class Slot:
    """The first folder ``0``, ``1``, ... under ``root`` that no living process holds.

    A restarted worker finds its stores again; the lock ends with the process, however it ends.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for number in count():
            folder = root / str(number)
            folder.mkdir(exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._lock)
                continue
            self.folder = folder
            return

    def release(self) -> None:
        os.close(self._lock)
