"""A worker is the same however it is started: it says how it is, names no patient, and stops cleanly."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import msgspec
import psutil
import pytest

from models.billing import Outcome
from streams.local_worker import WORKER
from streams.play import play, read_file
from streams.simulate import read_expected
from streams.topics import create
from streams.views.overview import Overview
from tests.integration.live import Live, running, said
from tests.integration.pipeline import EXAMPLES
from tests.kafka import Sent, installation
from tests.opened import bearer
from tests.verdict import verdict

pytestmark = pytest.mark.integration

FAUST = (str(Path(sys.executable).parent / "faust"), "--debug", "-A", "streams.app", "worker", "-l", "debug")
STARTS = {"perdiem worker": WORKER, "faust -A streams.app worker": FAUST}
DAY = EXAMPLES / "day.jsonl"
PAGES = (
    *("table/", "table/patient_days/", "table/patient_days/x/"),
    *("router/", "router/topics/", "router/patient_days/", "router/patient_days/x/"),
    *("graph/", "stats/", "assignment/", "performance/", "production_index/"),
)
ENABLED = tuple(f"APP_WEB_{page}_ENABLED" for page in ("TABLES", "ROUTER", "GRAPH", "STATS", "METRICS"))
"""What Faust takes for the wish to serve these pages."""
MRN = "UNMISTAKABLE4711"


@pytest.fixture(scope="module", params=STARTS)
def live(
    request: pytest.FixtureRequest, brokers: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """A worker that logs as much as it can, all of Faust's pages switched on; it has the example day."""
    folder = tmp_path_factory.mktemp("live")
    settings = installation(brokers, folder).model_copy(update={"log_level": "debug", "log_format": "json"})
    asyncio.run(create(settings))
    with pytest.MonkeyPatch.context() as environment:
        for name in ENABLED:
            environment.setenv(name, "1")
        with running(settings, folder / "worker.log", STARTS[request.param]) as worker:
            live = Live(worker)
            asyncio.run(play(settings, read_file(DAY)))
            asyncio.run(live.processed())
            yield live


def get(live: Live, path: str, accept: str = "text/html") -> tuple[int, bytes]:
    """Status and body."""
    connection = HTTPConnection(live.settings.web_host, live.settings.web_port, timeout=10)
    try:
        connection.request("GET", path, headers={"Accept": accept, **bearer()})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


async def test_a_worker_charges_the_day(live: Live) -> None:
    """The four figures of the audit are 0, and what stands is what should."""
    report, standing = await verdict(live.settings)
    assert report.clean
    assert standing == read_expected(DAY)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_of_faust_hands_out_data(live: Live, page: str) -> None:
    """Not to anybody who asks, not even with --debug and every page switched on."""
    assert get(live, f"/{page}")[0] == 404
    assert get(live, f"/{page.rstrip('/')}")[0] == 404


def test_only_this_machine_reaches_the_pages(live: Live) -> None:
    """The worker listens on loopback and nowhere else, unless it is set otherwise."""
    connections = psutil.Process(live.worker.process.pid).net_connections("inet")
    listening = {found.laddr for found in connections if found.status == psutil.CONN_LISTEN}
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert live.settings.web_port in {address.port for address in listening}


def test_whoever_restarts_or_routes_can_ask(live: Live) -> None:
    """/healthz says that the process lives, /readyz that its partitions are owned and restored."""
    assert get(live, "/healthz") == (200, b'{"status":"alive"}')
    assert get(live, "/readyz") == (200, b'{"status":"ready"}')


def test_the_overview_tells_people_and_programs_the_same(live: Live) -> None:
    """What it does, how far it is, and what became of the events since it started."""
    status, body = get(live, "/", "application/json")
    assert status == 200
    told = msgspec.json.decode(body, type=Overview)
    assert told.verdict.state == "running"
    assert {(partition.state, partition.lag) for partition in told.partitions} == {("ready", 0)}
    assert len(told.partitions) == 8 * live.settings.partitions  # of the topics that the agents read
    status, page = get(live, "/")
    assert status == 200
    assert f"<b>{told.total.charges:,}</b> charges" in page.decode()


async def test_no_log_and_no_page_names_a_patient(live: Live) -> None:
    """Whatever becomes of a patient's event, and however much is logged."""
    patient = {"mrn": MRN, "assigning_authority": "LAKE"}
    values = [
        said("S1", patient=patient),
        said("S1", patient=patient, version=2, account_number="A2"),
        said("S1", patient=patient, version=3, charge_code="0815", code=None),
        said("S1", patient=patient, version=4, modifiers=MRN),
        said("S2", patient={"mrn": MRN, "assigning_authority": MRN}),
        said("S3", patient=MRN, status=MRN),
        MRN.encode(),
    ]
    event_ids = await live.take([Sent("lab.procedures", value, MRN.encode()) for value in values])
    decisions = await live.decisions()
    became = [decisions[event_id][0].outcome for event_id in event_ids]
    held, dead = Outcome.HELD, Outcome.DEAD_LETTERED
    assert became == [Outcome.REPORTED, Outcome.CORRECTED, held, dead, held, dead, dead]
    assert MRN not in live.worker.log.read_text()
    assert MRN.encode() not in get(live, "/")[1] + get(live, "/", "application/json")[1]


async def test_sigterm_ends_a_working_worker_with_0_within_5_seconds(live: Live) -> None:
    """What was in flight is committed or left for the next start; nothing is lost or charged twice.

    From the first line to the last, which says so, each is a JSON object of one shape.
    """
    await play(live.settings, read_file(DAY))
    live.worker.process.signal(signal.SIGTERM)
    assert live.worker.process.wait(5) == 0
    lines = [json.loads(line) for line in live.worker.log.read_text().splitlines()]
    assert {(*line,)[:4] for line in lines} == {("timestamp", "level", "event", "logger")}
    assert lines[0]["event"] == "starting"
    last = lines[-1]
    assert (last["event"], last["exit_code"]) == ("stopped", 0)
    live.worker.start()
    live.worker.wait_ready()
    await live.processed()
    assert (await verdict(live.settings)).report.clean
