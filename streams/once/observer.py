"""The port through which others watch the engine: metrics, logs, tests that break it."""

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from streams.once.owner import Owner
    from streams.once.unit import UnitOfWork


class Step(IntEnum):
    """The numbered steps of ``UnitOfWork.commit``. Each is announced before it is taken."""

    FILL = 0
    WRITE = 1
    COMMIT = 2
    STORE = 3
    POSITION = 4


class Observer(Protocol):
    """Called on the worker's event loop; must return quickly and raise nothing."""

    def step(self, unit: "UnitOfWork", step: Step) -> None:
        """``unit`` is about to take ``step``."""

    def committed(self, unit: "UnitOfWork", seconds: float) -> None:
        """``unit`` is durable; filling and committing it took ``seconds``."""

    def fenced(self, owner: "Owner") -> None:
        """The brokers refused the producer of ``owner``: it commits nothing any more."""

    def restored(self, owner: "Owner", records: int, seconds: float) -> None:
        """``owner`` holds its whole state again, after reading ``records`` of its changelog."""

    def rebalanced(self, generation: int, kept: int, acquired: int, released: int) -> None:
        """The group has a new generation; the counts are partitions of this worker."""


class Silent:
    """An observer that does nothing; subclass it to hear only some of the calls."""

    def step(self, unit: "UnitOfWork", step: Step) -> None: ...

    def committed(self, unit: "UnitOfWork", seconds: float) -> None: ...

    def fenced(self, owner: "Owner") -> None: ...

    def restored(self, owner: "Owner", records: int, seconds: float) -> None: ...

    def rebalanced(self, generation: int, kept: int, acquired: int, released: int) -> None: ...


class Observers:
    """Several observers, told one after the other."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def step(self, unit: "UnitOfWork", step: Step) -> None:
        for each in self._observers:
            each.step(unit, step)

    def committed(self, unit: "UnitOfWork", seconds: float) -> None:
        for each in self._observers:
            each.committed(unit, seconds)

    def fenced(self, owner: "Owner") -> None:
        for each in self._observers:
            each.fenced(owner)

    def restored(self, owner: "Owner", records: int, seconds: float) -> None:
        for each in self._observers:
            each.restored(owner, records, seconds)

    def rebalanced(self, generation: int, kept: int, acquired: int, released: int) -> None:
        for each in self._observers:
            each.rebalanced(generation, kept, acquired, released)
