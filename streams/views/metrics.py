"""Metrics: what Prometheus scrapes of this worker."""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from prometheus_client import Metric as Family
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder

from models.billing import Kind
from models.reconciliation import OUTCOMES
from models.tally import IN
from streams.metrics import catalogue
from streams.metrics.catalogue import Metric
from streams.metrics.measured import Measured
from streams.once import OnceApp
from streams.once.owner import State
from streams.views.rights import Right
from streams.views.site import Asked, Shown, Site
from streams.views.state import Running

_NO_ROUTE = "none"
"""Of every path that is no page: as many as anybody can think of."""
_OWNED = tuple(state for state in State if state is not State.RELEASED)


class Owned:
    """A collector: reads at each scrape what this worker owns then."""

    def __init__(self, app: OnceApp, running: Running, measured: Measured) -> None:
        self._app = app
        self._running = running
        self._measured = measured

    def collect(self) -> Iterable[Family]:
        yield from self._agents()
        yield from self._partitions()
        yield from self._tallies()
        touch = _gauge(catalogue.IN_TOUCH)
        touch.add_metric([], self._app.tables.watch.in_touch)
        yield touch

    def _tallies(self) -> Iterable[Family]:
        total = self._measured.balance.of(self._app.tables.owners.values())
        events, billing_events = _gauge(catalogue.TALLY_EVENTS), _gauge(catalogue.TALLY_BILLING_EVENTS)
        for what in (IN, *OUTCOMES):
            events.add_metric([what], total[what])
        for kind in Kind:
            billing_events.add_metric([kind], total[kind])
        return events, billing_events

    def _agents(self) -> Iterable[Family]:
        tables = self._app.tables
        expected, owned = _gauge(catalogue.EXPECTED), _gauge(catalogue.OWNED)
        topics = Counter(agent.name for agent in tables.agents.values())
        states = Counter((owner.agent.name, owner.state) for owner in tables.owners.values())
        for agent, count in topics.items():
            expected.add_metric([agent], count * self._app.engine.partitions)
            for state in _OWNED:
                owned.add_metric([agent, state], states[agent, state])
        return expected, owned

    def _partitions(self) -> Iterable[Family]:
        position, last, left = map(_gauge, (catalogue.POSITION, catalogue.LAST_COMMIT, catalogue.TO_RESTORE))
        lag, lag_seconds = _gauge(catalogue.LAG), _gauge(catalogue.LAG_SECONDS)
        now = time.time()
        for each in self._running.partitions(self._app.tables.owners.values()):
            labels = [each.agent, each.topic, str(each.partition)]
            position.add_metric(labels, each.position)
            last.add_metric(labels, now - each.rested)
            left.add_metric(labels, max(0, each.to_restore - each.restored))
            if each.lag is not None:
                lag.add_metric(labels, each.lag)
            if each.lag_seconds is not None:
                lag_seconds.add_metric(labels, each.lag_seconds)
        return position, lag, lag_seconds, last, left


def _gauge(metric: Metric) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels, unit=metric.unit)


def counting(measured: Measured) -> Any:
    """A middleware that counts each request; the outermost, for it must see what the guard refuses."""

    @web.middleware
    async def count(request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        resource = request.match_info.route.resource
        measured.requested(resource.canonical if resource else _NO_ROUTE, response.status)
        return response

    return count


def mount(site: Site, running: Running, measured: Measured) -> None:
    """Add ``/metrics``."""
    measured.begin(site.app.tables.agents.values())
    measured.registry.register(Owned(site.app, running, measured))

    @site.page("/metrics", Right.WATCH, "")
    async def metrics(asked: Asked) -> Shown:
        """In the text format that is asked for: Prometheus' own or OpenMetrics."""
        encode, kind = choose_encoder(asked.request.headers.get("Accept", ""))
        async with site.turns:
            return web.Response(body=encode(measured.registry), headers={"Content-Type": kind})
