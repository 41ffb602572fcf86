"""Measured: counts what the engine and the pages tell; a registry of its own for each worker."""

import platform
import time
from collections.abc import Iterable
from importlib.metadata import version
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
)

from models.billing import Kind, Outcome
from streams.metrics import catalogue
from streams.metrics.balance import Balance
from streams.metrics.catalogue import Metric
from streams.once import Silent, UnitOfWork
from streams.once.owner import Agent, Owner

M = TypeVar("M", Counter, Info)


class Measured(Silent):
    """An observer: a few counters grow for each unit of work, none for a record."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.balance = Balance()
        ProcessCollector(registry=self.registry)
        self._records = self._made(Counter, catalogue.RECORDS)
        self._batch = self._histogram(catalogue.BATCH)
        self._commit = self._histogram(catalogue.COMMIT)
        self._age = self._histogram(catalogue.AGE)
        self._decisions = self._made(Counter, catalogue.DECISIONS)
        self._follow_ups = self._made(Counter, catalogue.FOLLOW_UPS)
        self._billing_events = self._made(Counter, catalogue.BILLING_EVENTS)
        self._fenced = self._made(Counter, catalogue.FENCED)
        self._rebalances = self._made(Counter, catalogue.REBALANCES)
        self._restore = self._histogram(catalogue.RESTORE)
        self._restored = self._made(Counter, catalogue.RESTORED)
        self._requests = self._made(Counter, catalogue.REQUESTS)
        build = self._made(Info, catalogue.BUILD)
        build.info({"version": version("perdiem"), "python": platform.python_version()})
        for outcome in Outcome:
            self._decisions.labels(outcome)
        for kind in Kind:
            self._billing_events.labels(kind)

    def begin(self, agents: Iterable[Agent]) -> None:
        """Every series of ``agents`` is there from now on, at 0: the first increase is one, too."""
        for agent in agents:
            for topic in agent.changelogs:
                self._records.labels(agent.name, topic)
            for each in (self._batch, self._commit, self._age, self._fenced, self._restore, self._restored):
                each.labels(agent.name)

    def committed(self, unit: UnitOfWork, seconds: float) -> None:
        agent, records = unit.owner.agent.name, unit.batch.records
        self._commit.labels(agent).observe(seconds)
        self.balance.committed(unit)
        if not records:
            return  # markers alone
        self._records.labels(agent, unit.owner.tp.topic).inc(len(records))
        self._batch.labels(agent).observe(len(records))
        self._age.labels(agent).observe(max(0.0, time.time() - records[0].timestamp / 1000))
        for what, count in unit.counts.items():
            if what in _OUTCOMES:
                self._decisions.labels(what).inc(count)
            elif what in _KINDS:
                self._billing_events.labels(what).inc(count)
            elif what == "follow_up":
                self._follow_ups.inc(count)

    def fenced(self, owner: Owner) -> None:
        self._fenced.labels(owner.agent.name).inc()

    def restored(self, owner: Owner, records: int, seconds: float) -> None:
        self._restore.labels(owner.agent.name).observe(seconds)
        self._restored.labels(owner.agent.name).inc(records)
        self.balance.restored(owner)

    def rebalanced(self, generation: int, kept: int, acquired: int, released: int) -> None:
        self._rebalances.inc()

    def requested(self, route: str, status: int) -> None:
        """A page was asked for: ``route`` is the template of its path."""
        self._requests.labels(route, status).inc()

    def _made(self, of: type[M], metric: Metric) -> M:
        if of is Info:  # takes its labels with its value
            return of(metric.name.removesuffix("_info"), metric.help, registry=self.registry)
        return of(metric.name, metric.help, metric.labels, unit=metric.unit, registry=self.registry)

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(
            metric.name,
            metric.help,
            metric.labels,
            unit=metric.unit,
            buckets=metric.bounds,
            registry=self.registry,
        )


_OUTCOMES = frozenset(Outcome)
_KINDS = frozenset(Kind)
