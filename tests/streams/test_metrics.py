"""The metrics of a worker, without a broker."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from models.tally import IN, Bucket
from streams.metrics.balance import Balance
from streams.metrics.catalogue import CATALOGUE, Metric, Type, document
from streams.metrics.measured import Measured
from streams.once import UnitOfWork
from streams.once.owner import Owner, State
from streams.tallies import Tallies
from tests.kafka import ROOT
from tests.prometheus import ALERTS, CONFIG, promtool
from tests.streams.once.fakes import a_batch, an_app, an_owner
from tests.streams.once.test_liftable import imported

DOCUMENT = ROOT / "docs" / "metrics.md"
DASHBOARD = ROOT / "deploy" / "grafana" / "perdiem.json"
BOUNDED = {"agent", "topic", "partition", "state", "outcome", "kind", "what", "route", "status"}
"""Labels whose values are written in the code or in the settings."""


def test_the_documented_metrics_are_the_real_ones() -> None:
    """docs/metrics.md says what the code does; `make docs` renews it."""
    assert DOCUMENT.read_text() == document()


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_asks(metric: Metric) -> None:
    """The name says the unit, a counter ends in _total, no label can take more and more values."""
    name = metric.name.removesuffix("_total")
    assert metric.name.startswith("perdiem_")
    assert metric.name.count("perdiem") == 1
    assert (metric.type is Type.COUNTER) == metric.name.endswith("_total")
    assert name.endswith(metric.unit)
    assert {*metric.labels} <= BOUNDED or metric.type is Type.INFO
    assert (metric.type is Type.HISTOGRAM) == bool(metric.bounds)
    assert metric.help.endswith(".")


def test_every_metric_is_of_use() -> None:
    """Each is seen on the dashboard or judged by an alert, and these ask for none that is not there."""
    queries = DASHBOARD.read_text() + ALERTS.read_text()
    names = {metric.name for metric in CATALOGUE}
    assert {name for name in names if name not in queries} == set()
    asked = {expr for panel in json.loads(DASHBOARD.read_text())["panels"] for expr in _queries(panel)}
    words = {word for expr in asked for word in _words(expr) if word.startswith("perdiem_")}
    known = names | {f"{name}_{part}" for name in names for part in ("bucket", "sum", "count")}
    assert words <= known


def test_neither_the_rule_nor_the_engine_knows_prometheus() -> None:
    """They are measured from outside, through the observer."""
    imports = [*imported("models"), *imported("streams/once")]
    assert [(file, module) for file, module in imports if "prometheus" in module] == []


@pytest.mark.parametrize("said", ["check rules alerts.yml", "check config --syntax-only prometheus.yml"])
def test_prometheus_reads_its_files(said: str) -> None:
    """What stands in deploy/prometheus is taken as it is."""
    *command, file = said.split()
    code, printed = promtool(*command, CONFIG.with_name(file))
    assert code == 0, printed


def test_each_alert_fires_when_it_should_and_not_before() -> None:
    """As deploy/prometheus/alerts_test.yml tells it."""
    code, printed = promtool("test", "rules", CONFIG.with_name("alerts_test.yml"))
    assert code == 0, printed


def test_each_alert_says_what_to_do() -> None:
    """Each has a test in which it fires, a severity, a summary, and a description."""
    rules, tests = ALERTS.read_text(), CONFIG.with_name("alerts_test.yml").read_text()
    alerts = rules.split("- alert: ")[1:]
    assert alerts
    for alert in alerts:
        assert f'alertname="{alert.split()[0]}"' in tests
        assert all(part in alert for part in ("severity: ", "summary: ", "description: "))


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[tuple[Owner, Tallies, Measured]]:
    """A partition whose agent has tallies, and what is measured of it."""
    app = an_app(tmp_path)
    tallies = Tallies(app, "count")
    measured = Measured()
    measured.balance.tallies = [tallies]
    owner = an_owner(app, *tallies.tables, observer=measured)
    measured.begin([owner.agent])
    measured.restored(owner, 0, 0.1)
    yield owner, tallies, measured
    owner.store.close()


def a_unit(owner: Owner, tallies: Tallies, **counts: int) -> UnitOfWork:
    """A unit of work of three records that counts so."""
    unit = UnitOfWork(owner, a_batch(owner, "a", "b", "c"))
    unit._slice = unit.batch.records
    with unit:
        for what, count in counts.items():
            tallies.add(Bucket(date(2025, 3, 10), "lakeside", "lab"), what, count)
        tallies.write(unit)
    return unit


def value(measured: Measured, name: str, **labels: str) -> float | None:
    return measured.registry.get_sample_value(name, labels)


async def test_what_was_done_is_counted_once_it_is_durable(
    counting: tuple[Owner, Tallies, Measured],
) -> None:
    """Units of work that are given up change no figure; every series is there at 0 before."""
    owner, tallies, measured = counting
    unit = a_unit(owner, tallies, reported=1)
    unit.counts.update({"reported": 1, "charge": 2, "follow_up": 1})
    assert value(measured, "perdiem_records_total", agent="count", topic="source") == 0
    assert value(measured, "perdiem_decisions_total", outcome="reported") == 0
    await unit.commit()
    assert value(measured, "perdiem_records_total", agent="count", topic="source") == 3
    assert value(measured, "perdiem_decisions_total", outcome="reported") == 1
    assert value(measured, "perdiem_billing_events_total", kind="charge") == 2
    assert value(measured, "perdiem_follow_up_decisions_total") == 1
    assert value(measured, "perdiem_commit_duration_seconds_count", agent="count") == 1
    assert value(measured, "perdiem_record_age_seconds_count", agent="count") == 1
    assert value(measured, "perdiem_batch_records_sum", agent="count") == 3


def test_what_happens_to_partitions_is_counted(counting: tuple[Owner, Tallies, Measured]) -> None:
    """Rebalances, restores with what they read, and producers that were fenced."""
    owner, _, measured = counting
    measured.rebalanced(7, 1, 2, 3)
    measured.restored(owner, 40, 2.0)
    measured.fenced(owner)
    assert value(measured, "perdiem_rebalances_total") == 1
    assert value(measured, "perdiem_restore_duration_seconds_count", agent="count") == 2
    assert value(measured, "perdiem_restore_duration_seconds_bucket", agent="count", le="2.5") == 2
    assert value(measured, "perdiem_restored_records_total", agent="count") == 40
    assert value(measured, "perdiem_fenced_total", agent="count") == 1


async def test_the_balance_is_that_of_the_tables(counting: tuple[Owner, Tallies, Measured]) -> None:
    """However it came about: counted meanwhile, taken back, or found when the partition was restored."""
    owner, tallies, measured = counting
    for counts in ({IN: 3}, {"held": 1, "reported": 2}, {"held": -1, "repeated": 1}):
        await a_unit(owner, tallies, **counts).commit()
    a_unit(owner, tallies, **{IN: 7})  # given up
    expected = {IN: 3, "reported": 2, "repeated": 1}
    assert +measured.balance.of([owner]) == expected
    found = Balance()
    found.tallies = [tallies]
    found.restored(owner)
    assert +found.of([owner]) == expected
    owner.state = State.RESTORING
    assert not measured.balance.of([owner])  # another may own it already, and count more


def _queries(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel.get("targets", [])]


def _words(expr: str) -> list[str]:
    return "".join(each if each.isalnum() or each in "_:" else " " for each in expr).split()
