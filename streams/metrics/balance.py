"""Balance: the sum of what this worker's partitions ever counted, kept up as they count more."""

from collections import Counter
from collections.abc import Iterable, Sequence

from aiokafka import TopicPartition

from streams.once import UnitOfWork
from streams.once.owner import Owner, State
from streams.tallies import Tallies, counted


class Balance:
    """A look at it costs nothing: the tables are read once for each partition, when it is restored."""

    def __init__(self) -> None:
        self.tallies: Sequence[Tallies] = ()
        self._sums: dict[TopicPartition, Counter[str]] = {}

    def restored(self, owner: Owner) -> None:
        """Sum the days of ``owner``'s partition: 2,000 after six years, a few milliseconds."""
        total = Counter[str]()
        for tallies in self.tallies:
            if tallies.by_day in owner.slices:
                for _, counts in owner.slices[tallies.by_day].items():  # noqa: PERF102 - no mapping
                    total.update(counts)
        self._sums[owner.tp] = total

    def committed(self, unit: UnitOfWork) -> None:
        if unit.owner.tp in self._sums:
            self._sums[unit.owner.tp].update(counted(unit))

    def of(self, owners: Iterable[Owner]) -> Counter[str]:
        """The sum over those of ``owners`` whose state is complete."""
        total = Counter[str]()
        for owner in owners:
            if owner.state in (State.READY, State.RESTORED):
                total.update(self._sums.get(owner.tp, {}))
        return total
