"""The days: any worker tells the same of them, to people, programs and spreadsheets, as the topics do."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date
from http.client import HTTPConnection
from typing import Any

import msgspec
import pytest

from models.reconciliation import Line, Reconciliation, add
from streams.local_worker import LocalWorker
from streams.play import play, read_file
from streams.reconcile import Part, reconcile_topics
from streams.topics import create
from streams.views.rights import Role
from tests.integration.live import Live, both_running, said
from tests.integration.pipeline import EXAMPLES
from tests.integration.test_holds import ACKS
from tests.kafka import Sent, installation
from tests.opened import bearer

pytestmark = pytest.mark.integration

DAY = date(2025, 3, 9)
NEXT = date(2025, 3, 10)


class Two:
    """Two workers of one installation; the example day went through, and billing answered of one charge."""

    def __init__(self, workers: list[LocalWorker]) -> None:
        self.settings = workers[0].settings
        self._ports = [worker.settings.web_port for worker in workers]

    def ask(self, path: str, accept: str = "text/html", role: Role = Role.VIEWER) -> tuple[int, bytes, Any]:
        """Status, body and headers; fails unless both workers say the same."""
        found = [self._ask(port, path, accept, role) for port in self._ports]
        assert found[0][:2] == found[1][:2]
        return found[0]

    def told(self, path: str) -> Any:
        status, body, _ = self.ask(path, "application/json")
        assert status == 200
        return json.loads(body)

    def sheet(self, path: str) -> list[dict[str, str]]:
        status, body, headers = self.ask(path)
        assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
        assert headers["Content-Disposition"].startswith("attachment")
        assert body.count(b"\r\n") == body.count(b"\n") > 0
        return [*csv.DictReader(io.StringIO(body.decode(), newline=""))]

    @staticmethod
    def _ask(port: int, path: str, accept: str, role: Role) -> tuple[int, bytes, Any]:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers={"Accept": accept, **bearer(role)})
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()


@pytest.fixture(scope="module")
def two(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    settings = installation(brokers, folder)
    asyncio.run(create(settings))
    with both_running(settings, folder) as (first, second):
        live = Live(first)
        asyncio.run(play(settings, read_file(EXAMPLES / "day.jsonl")))
        asyncio.run(live.processed())
        asyncio.run(_more(live))
        yield Two([first, second])


async def _more(live: Live) -> None:
    """A charge of the next day, said twice; then billing's answer."""
    await live.take([said("A"), said("A")])
    charge = next(event for event in await live.billing_events() if event.service_date == NEXT)
    ack = {"charge_id": charge.id, "patient": charge.patient, "status": "accepted"}
    await live.take([Sent(ACKS, json.dumps(ack).encode())])


@pytest.fixture(scope="module")
def account(two: Two) -> Reconciliation:
    return asyncio.run(reconcile_topics(two.settings))


def figures(account: Reconciliation, day: date | None, facility: str | None = None) -> Any:
    """What ``perdiem reconcile`` says of a day."""
    lines = [
        line
        for bucket, line in account.lines.items()
        if bucket.service_date == day and facility in (None, bucket.facility)
    ]
    return msgspec.to_builtins(Line(add(line.counts for line in lines)).told())


def test_the_list_of_days_is_what_the_topics_hold(two: Two, account: Reconciliation) -> None:
    """Every date that has something, the latest first, then what has none."""
    told = two.told("/days")
    dates = {bucket.service_date for bucket in account.lines}
    known = sorted((str(day) for day in dates if day), reverse=True)
    assert [day["service_date"] for day in told["days"]] == [*known, None]
    for day in told["days"]:
        of = day["service_date"]
        assert day["figures"] == figures(account, date.fromisoformat(of) if of else None)
        assert day["figures"]["in_flight"] == 0
    assert (told["before"], told["missing"]) == (None, [])


def test_days_are_found_by_facility_and_dates(two: Two, account: Reconciliation) -> None:
    """Figures of that facility alone, of days in which it has any. What is no date is refused."""
    [only] = two.told("/days?facility=bayview&from=2025-03-09&to=2025-03-10")["days"]
    assert (only["service_date"], only["figures"]) == ("2025-03-09", figures(account, DAY, "bayview"))
    assert two.told("/days?facility=nowhere")["days"] == []
    [last] = two.told("/days?to=2025-03-08&before=2025-03-08")["days"]
    assert last["service_date"] == "2024-12-31"
    assert two.ask("/days?from=yesterday")[0] == 400


def test_the_figures_of_a_day_are_those_of_reconcile(two: Two, account: Reconciliation) -> None:
    """In all, and of each source of each facility."""
    told = two.told(f"/days/{DAY}")
    assert told["total"] == figures(account, DAY)
    lines = {bucket: line for bucket, line in account.lines.items() if bucket.service_date == DAY}
    shown = {(part["facility"], part["source"]): part["figures"] for part in told["sources"]}
    assert shown == {bucket[1:]: msgspec.to_builtins(line.told()) for bucket, line in lines.items()}
    part = asyncio.run(reconcile_topics(two.settings, Part(DAY)))
    assert told["total"]["never_acknowledged"] == part.standing[None]
    assert part.miscounted == {}


def test_a_charge_that_billing_answered_is_no_longer_missed(two: Two) -> None:
    """Of the day whose only charge was acknowledged none is left."""
    total = two.told(f"/days/{NEXT}")["total"]
    assert (total["standing"], total["never_acknowledged"]) == (1, 0)
    assert total["suppressed"] == {"repeated": 1, "already_reported": 0, "superseded": 0}
    assert total["services"]["collection"] == {"charges": 1, "credits": 0}


@pytest.mark.parametrize("role", Role)
def test_everybody_who_may_log_in_reads_the_same_figures(two: Two, role: Role) -> None:
    """The page says what its JSON twin says, and that the equation closes."""
    total = two.told(f"/days/{DAY}")["total"]
    status, body, _ = two.ask(f"/days/{DAY}", role=role)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.decode()))
    assert status == 200
    assert "It closes: each event that came in has one outcome." in page
    terms = " + ".join(f"{n} {what.replace('_', ' ')}" for what, n in total["outcomes"].items())
    assert {*terms.split(" + ")} <= {*re.split(r" \+ |= ", page.split(" It closes")[0].strip())}
    assert f"{sum(total['suppressed'].values())} of {total['in']} events" in page
    assert f"all {total['charges']} {total['credits']} {total['standing']}" in page
    status, body, _ = two.ask("/days", role=role)
    assert (status, f'href="/days/{DAY}"' in body.decode()) == (200, True)


def test_a_file_holds_what_the_pages_show(two: Two, account: Reconciliation) -> None:
    """A row for each date, facility and source: of all, of those asked for, and of one day."""
    rows = two.sheet("/days.csv")
    assert len(rows) == len(account.lines)
    assert sum(int(row["charges"]) for row in rows) == account.total.charges
    [of_day, some] = [two.sheet(f"/days/{DAY}.csv"), two.sheet(f"/days.csv?from={DAY}&to={DAY}")]
    assert of_day == some == [row for row in rows if row["service_date"] == str(DAY)]
    assert {row["service_date"] for row in two.sheet("/days/no-date.csv")} == {""}
    assert {row["facility"] for row in two.sheet(f"/days/{DAY}.csv?facility=bayview")} == {"bayview"}


def test_pages_and_files_are_closed_to_strangers(two: Two) -> None:
    """Without a token nothing is told; what is no day is not found."""
    connection = HTTPConnection("127.0.0.1", two.settings.web_port, timeout=10)
    for path in ("/days", "/days.csv", f"/days/{DAY}", f"/days/{DAY}.csv"):
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        response.read()
        assert response.status == 401
    connection.close()
    assert two.ask("/days/someday")[0] == 404
    assert two.ask("/days/someday.csv")[0] == 404
