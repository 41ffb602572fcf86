"""What a worker tells Prometheus: true, of bounded size, to nobody without a token; dashboard and alerts."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from models.billing import Kind, Outcome
from models.tally import CHARGE, CREDIT, IN
from streams.local_kafka import free_port
from streams.metrics.catalogue import CATALOGUE, Type
from streams.once.owner import State
from streams.play import play, read_file
from streams.reconcile import reconcile_topics
from streams.settings import Settings
from streams.topics import create
from streams.views.rights import Role
from tests.integration.live import Live, running, said
from tests.integration.pipeline import EXAMPLES
from tests.kafka import ROOT, installation
from tests.opened import TOKENS, bearer
from tests.prometheus import Prometheus, promtool, scraping

pytestmark = pytest.mark.integration

MRN = "UNMISTAKABLE4711"
OPENMETRICS = "application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
"""What Prometheus accepts."""
DASHBOARD = ROOT / "deploy" / "grafana" / "perdiem.json"
_WITHIN = 30.0
"""Seconds in which a Prometheus that scrapes every second must have seen what is there."""


@pytest.fixture(scope="module")
def live(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A worker that has the example day, and an event of a patient whose id is not mistaken for a figure."""
    folder = tmp_path_factory.mktemp("live")
    settings = installation(brokers, folder)
    asyncio.run(create(settings))
    with running(settings, folder / "worker.log") as worker:
        live = Live(worker)
        asyncio.run(play(settings, read_file(EXAMPLES / "day.jsonl")))
        patient = {"mrn": MRN, "assigning_authority": "LAKE"}
        asyncio.run(live.take([said(MRN, patient=patient), said("S1", patient=patient, modifiers=MRN)]))
        yield live


@pytest.fixture(scope="module")
def prometheus(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It sees the worker with the token of an operator, and more come in while it looks."""
    address = live.worker.url.removeprefix("http://")
    with scraping(address, TOKENS[Role.OPERATOR], tmp_path_factory.mktemp("prometheus")) as prometheus:
        seen(lambda: prometheus.query("count(perdiem_build_info) > 0"))
        asyncio.run(live.take(said(f"M{number}") for number in range(50)))
        at = time.time()
        seen(lambda: prometheus.query(f"max(timestamp(perdiem_build_info)) > {at} + 2"))
        yield prometheus


def seen(look: Callable[[], object]) -> None:
    """Wait until ``look`` sees something."""
    deadline = time.monotonic() + _WITHIN
    while not look():
        assert time.monotonic() < deadline, "Prometheus did not see it in time"
        time.sleep(0.2)


def get(settings: Settings, path: str = "/metrics", **headers: str) -> tuple[int, str, str]:
    """Status, content type and body."""
    connection = HTTPConnection(settings.web_host, settings.web_port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


def told(settings: Settings) -> Counter[tuple[str, ...]]:
    """The figures of a worker, by name and values of the labels."""
    figures = Counter[tuple[str, ...]]()
    for family in plain(get(settings, **bearer(Role.OPERATOR))[2]):
        for sample in family.samples:
            figures[sample.name, *sample.labels.values()] = int(sample.value)
    return figures


def test_prometheus_needs_a_token(live: Live) -> None:
    """Without one, or with a wrong one, it is refused, and not sent to a login; an operator's is enough."""
    assert get(live.settings, Accept=OPENMETRICS)[0] == 401
    assert get(live.settings, Accept=OPENMETRICS, Authorization="Bearer of no token")[0] == 401
    for role in Role:
        assert get(live.settings, **bearer(role))[0] == 200


def test_both_text_formats_tell_the_catalogue_and_no_more(live: Live) -> None:
    """Names, types and labels are those of docs/metrics.md, whichever format is asked for."""
    expected = {metric.name: (metric.type, metric.labels) for metric in CATALOGUE}
    expected["perdiem_build_info"] = (Type.GAUGE, ("python", "version"))
    _, kind, body = get(live.settings, **bearer())
    assert kind.startswith("text/plain; version=0.0.4")
    told = {}
    for family in plain(body):
        if family.name.startswith("perdiem_"):
            name = family.name + "_total" * (family.type == "counter")
            # In the order in which they are declared; the bound of a bucket is added to them.
            told[name] = (family.type, tuple(name for name in family.samples[0].labels if name != "le"))
    assert {name: (type_, sorted(labels)) for name, (type_, labels) in told.items()} == {
        name: (type_, sorted(labels)) for name, (type_, labels) in expected.items()
    }
    _, kind, body = get(live.settings, Accept=OPENMETRICS, **bearer())
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    names = {
        family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        for family in openmetrics(body)  # type: ignore[no-untyped-call]
        if family.name.startswith("perdiem_")
    }
    assert names == {*expected}


def test_prometheus_finds_no_fault_with_names_and_form(live: Live) -> None:
    """`promtool check metrics` says nothing to what the worker tells."""
    assert promtool("check", "metrics", given=get(live.settings, **bearer())[2].encode()) == (0, "")


def test_labels_are_bounded_and_name_no_patient(live: Live) -> None:
    """Their values come from the code and the topics, whatever was sent and whatever page was asked for."""
    assert get(live.settings, f"/patient/{MRN}?id={MRN}", **bearer())[0] == 404
    body = get(live.settings, **bearer())[2]
    assert MRN not in body
    agents = live.topics.agents
    allowed = {
        "agent": {*agents},
        "topic": {topic for topics in agents.values() for topic in topics},
        "partition": {str(number) for number in range(live.settings.partitions)},
        "state": {*State},
        "outcome": {*Outcome},
        "what": {IN, *Outcome},
        "kind": {*Kind},
        "route": {"none", "/", "/metrics", "/readyz"},
        "status": {"200", "401", "404", "503"},
    }
    for family in plain(body):
        for sample in family.samples:
            for label in sample.labels.keys() & allowed.keys():
                assert sample.labels[label] in allowed[label]


async def test_the_figures_are_those_of_the_topics(live: Live) -> None:
    """As many decisions, charges and credits as were written; everything is dealt with."""
    figures = told(live.settings)
    decisions = [decision for each in (await live.decisions()).values() for decision in each]
    first = Counter(decision.outcome for decision in decisions if decision.sequence == 1)
    assert {outcome: figures["perdiem_decisions_total", outcome] for outcome in first} == first
    assert figures["perdiem_follow_up_decisions_total",] == len(decisions) - first.total()
    kinds = Counter(event.kind for event in await live.billing_events())
    assert {kind: figures["perdiem_billing_events_total", kind] for kind in Kind} == kinds
    lags = [count for name, count in figures.items() if name[0].startswith("perdiem_lag_")]
    assert lags == [0] * 2 * 8 * live.settings.partitions  # of the topics that the agents read
    assert figures["perdiem_kafka_in_touch",] == 1


async def test_the_tallies_of_all_workers_are_the_reconciliation(live: Live, tmp_path: Path) -> None:
    """Wherever the partitions lie: their sum says what came in and what became of it, and so what is lost."""
    second = live.settings.model_copy(update={"web_port": free_port(), "data_dir": tmp_path})
    with running(second, tmp_path / "second.log"):
        seen(lambda: told(second)["perdiem_partitions", "ledger", "ready"])
        live.worker.wait_ready()
        total = (await reconcile_topics(live.settings)).total
        summed = told(live.settings) + told(second)
        assert {
            name[1]: count for name, count in summed.items() if name[0] == "perdiem_tally_events" and count
        } == {IN: total.came_in, **total.outcomes}
        assert summed["perdiem_tally_billing_events", CHARGE] == total.charges
        assert summed["perdiem_tally_billing_events", CREDIT] == total.credits
        for agent, topics in live.topics.agents.items():
            owned = sum(summed["perdiem_partitions", agent, state] for state in State)
            assert owned == len(topics) * live.settings.partitions
            assert told(second)["perdiem_agent_partitions", agent] == owned
    live.worker.wait_ready()


def _panels() -> list[Any]:
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("panel", _panels(), ids=lambda panel: panel["title"])
def test_each_panel_shows_something(prometheus: Prometheus, panel: Any) -> None:
    """Each query of the dashboard is understood, and finds figures of a worker that works."""
    for target in panel["targets"]:
        expression = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
        assert "$" not in expression
        found = prometheus.query(expression)
        assert found
        assert any(series["value"][1] != "NaN" for series in found)
        labels = {*re.findall(r"{{(\w+)}}", target["legendFormat"])}
        assert all(labels <= series["metric"].keys() for series in found)


def test_the_alerts_are_understood_and_keep_still(prometheus: Prometheus) -> None:
    """Of a worker that works, none is about to fire."""
    assert [target["health"] for target in prometheus.targets()] == ["up"]
    seen(lambda: all(rule["health"] == "ok" for rule in prometheus.alerts()))
    assert len(prometheus.alerts()) >= 10
    assert {rule["name"]: rule["state"] for rule in prometheus.alerts() if rule["state"] != "inactive"} == {}
