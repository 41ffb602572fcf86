"""Running: what each worker does now, and did in the last hour."""

from collections.abc import Iterable, Sequence

import msgspec

from streams.once import OnceApp
from streams.once.owner import Owner, State
from streams.pace import Bin, Pace
from streams.views.workers import Question

STALLED_AFTER = 30.0
"""Seconds for which records wait and nothing is committed: far more than a rebalance or a restart takes."""


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """One source partition.

    ``lag`` counts the offsets behind ``position``, ``restored`` and ``to_restore`` those of the changelog:
    transaction markers included, which are no records. ``lag_seconds`` and ``rested``, since the last
    commit, are seconds.
    """

    agent: str
    topic: str
    partition: int
    worker: str
    state: str
    restored: int
    to_restore: int
    seconds_left: float | None
    position: int
    lag: int | None
    lag_seconds: float | None
    rested: float

    @property
    def stalled(self) -> bool:
        """Records wait, and for too long nothing was committed."""
        behind = self.lag_seconds or 0.0
        return self.state == State.READY and min(behind, self.rested) > STALLED_AFTER


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One worker, and its last hour."""

    url: str
    rebalancing: bool
    in_touch: bool
    """Kafka answers it."""
    partitions: list[Partition]
    bins: list[Bin]


class Now(msgspec.Struct, frozen=True):
    """Asks for nothing more."""


class Running:
    """What a worker answers when it is asked how it does."""

    def __init__(self, app: OnceApp, pace: Pace) -> None:
        self._app = app
        self._pace = pace
        agents = {agent.name for agent in app.tables.agents.values()}
        self.question: Question[Now, Worker] = Question(
            "running", Now, Worker, sorted(agents), self._answer, every=True
        )

    def look(self) -> None:
        """Call it once a second: how far behind a partition is shows only over time."""
        if self._app.consumer is not None:
            self._pace.look(self._app.tables.owners.values(), self._app.consumer)

    async def _answer(self, owners: Sequence[Owner], asked: Now) -> Worker:
        app = self._app
        return Worker(
            url=str(app.conf.canonical_url),
            rebalancing=app.rebalancing,
            in_touch=app.tables.watch.in_touch,
            partitions=self.partitions(owners),
            bins=self._pace.bins,
        )

    def partitions(self, owners: Iterable[Owner]) -> list[Partition]:
        """How far each of ``owners`` is, sorted."""
        return [self._partition(owner) for owner in sorted(owners, key=lambda owner: owner.tp)]

    def _partition(self, owner: Owner) -> Partition:
        ready = owner.state is State.READY
        consumer: object = self._app.consumer
        end = consumer.thread.log_end(owner.tp) if ready else None  # type: ignore[attr-defined]
        return Partition(
            agent=owner.agent.name,
            topic=owner.tp.topic,
            partition=owner.tp.partition,
            worker=str(self._app.conf.canonical_url),
            state=owner.state,
            restored=owner.restore.done,
            to_restore=owner.restore.total,
            seconds_left=owner.restore.seconds_left if owner.state is State.RESTORING else None,
            position=owner.position,
            lag=None if end is None else max(0, end - owner.position),
            lag_seconds=self._pace.behind(owner.tp, owner.position) if end is not None else None,
            rested=owner.rested,
        )
