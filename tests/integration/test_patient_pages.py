"""What people at billing look at: a patient-day, its patient and the course of its therapy."""

import asyncio
import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode

import msgspec
import pytest

from models.billing import Acknowledged, BillingEvent, Kind
from streams.access import Access, Did
from streams.local_worker import LocalWorker
from streams.topics import create
from streams.views.rights import Role
from tests.integration.live import Live, both_running, said
from tests.kafka import Sent, installation, read_all
from tests.opened import bearer

pytestmark = pytest.mark.integration

MRN, LOSING = "6660471100", "6660471200"
NUMBERS = {"account_number": "ACC-31", "encounter_number": "ENC-31", "products": ["W3100"]}
SECRETS = (MRN, LOSING, "ACC-31", "ENC-31", "W3100", "MSG-31")
"""What nobody may see who may not see patients."""


class Answer(NamedTuple):
    status: int
    body: str
    location: str | None

    @property
    def told(self) -> Any:
        return json.loads(self.body)


class Pages:
    """The pages of one worker, as a browser of ``role`` or a program asks for them."""

    def __init__(self, worker: LocalWorker) -> None:
        self.worker = worker

    def get(self, path: str, role: Role = Role.ANALYST, *, program: bool = False) -> Answer:
        return self._ask("GET", path, role, program)

    def find(self, text: str, authority: str = "", role: Role = Role.ANALYST) -> list[dict[str, Any]]:
        """The hits of a search."""
        body = urlencode({"text": text, "authority": authority})
        found = self._ask("POST", "/find", role, True, body)
        assert found.status == 200, found.body
        hits: list[dict[str, Any]] = found.told["hits"]
        return hits

    def followed(self, text: str, authority: str = "") -> str:
        """Where a browser comes by searching."""
        body = urlencode({"text": text, "authority": authority})
        found = self._ask("POST", "/find", Role.ANALYST, False, body)
        assert found.status == 303, found.body
        assert found.location is not None
        return found.location

    def _ask(self, method: str, path: str, role: Role, program: bool, body: str | None = None) -> Answer:
        settings = self.worker.settings
        connection = HTTPConnection(settings.web_host, settings.web_port, timeout=20)
        accept = "application/json" if program else "text/html"
        headers = {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded", **bearer(role)}
        try:
            connection.request(method, path.partition("#")[0], body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), response.getheader("Location"))
        finally:
            connection.close()

    def crawl(self, start: str, role: Role) -> dict[str, Answer]:
        """Every page of patients that links lead to from ``start``."""
        seen: dict[str, Answer] = {}
        ahead = [start]
        while ahead:
            path = ahead.pop().partition("#")[0]
            if path not in seen:
                seen[path] = self.get(path, role)
                assert seen[path].status == 200, path
                ahead += [link for link in links(seen[path].body) if link.startswith(PAGES)]
        return seen


PAGES = ("/patients/", "/patient-days/", "/episodes/")


def order(command: str, name: str, **more: Any) -> Sent:
    """What a person decides; ``name`` is its id."""
    given = {"command": command, "id": name, "user": "ada", "time": "2025-03-11T08:00:00Z", "reason": "seen"}
    return Sent("perdiem.commands", json.dumps(given | more).encode(), name.encode())


async def charges(live: Live, mrn: str) -> list[BillingEvent]:
    events = [event for event in await live.billing_events() if event.patient == f"LAKE|{mrn}"]
    return [event for event in events if event.kind is Kind.CHARGE]


def on_claim(charge: BillingEvent) -> Sent:
    """Billing says that the charge is on a claim."""
    ack = {"charge_id": charge.id, "patient": charge.patient, "status": Acknowledged.ON_CLAIM}
    return Sent("billing.acks", json.dumps(ack).encode(), charge.patient.encode())


def links(page: str) -> list[str]:
    return re.findall(r'(?:href|src|action)="([^"]*)"', page)


def stated(procedure_id: str, mrn: str = MRN, **more: Any) -> bytes:
    patient = {"mrn": mrn, "assigning_authority": "LAKE"}
    return said(procedure_id, patient=patient, message_id="MSG-31", **(NUMBERS | more))


@pytest.fixture(scope="module")
def pair(brokers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Pages, Pages]]:
    """Two workers of one installation, and a patient's day of which all kinds of things were said."""
    folder = tmp_path_factory.mktemp("pair")
    settings = installation(brokers, folder)
    asyncio.run(create(settings))
    with both_running(settings, folder) as (one, two):
        live = Live(one)
        asyncio.run(live.take(day()))
        yield live, Pages(one), Pages(two)


def day() -> list[bytes]:
    """A correction, a duplicate, a withdrawal, and a receipt on another day that was sent twice."""
    return [
        stated("C1"),
        stated("C1", version=2, performed={"start": "2025-03-10T10:30:00"}),
        stated("C2", performed={"start": "2025-03-10T12:00:00"}),
        stated("T1", code="38226"),
        stated("T1", code="38226", version=2, status="withdrawn"),
        stated("R1", code="38227", performed={"start": "2025-03-20T08:00:00"}),
        stated("R1", code="38227", performed={"start": "2025-03-20T08:00:00"}),
    ]


@pytest.fixture
def live(pair: tuple[Live, Pages, Pages]) -> Live:
    return pair[0]


@pytest.fixture
def pages(pair: tuple[Live, Pages, Pages]) -> Pages:
    return pair[1]


@pytest.fixture
def others(pair: tuple[Live, Pages, Pages]) -> Pages:
    """Of the other worker."""
    return pair[2]


def day_of(pages: Pages, service_date: str = "2025-03-10", mrn: str = MRN) -> str:
    told = pages.get(pages.followed(mrn, "LAKE"), program=True).told
    return next(str(day["href"]) for day in told["days"] if day["service_date"] == service_date)


def test_a_patient_is_found_in_any_spelling(pages: Pages, others: Pages) -> None:
    """By the number and whose it is, or both in one; by either worker, at the same place."""
    expected = pages.followed(MRN, "LAKE")
    assert expected.startswith("/patients/")
    for text, authority in ((f"Lakeside|000{MRN}", ""), (f" 0{MRN} ", "LAKE"), (f"LAKE|{MRN}", "")):
        assert pages.followed(text, authority) == others.followed(text, authority) == expected
    days = [each["service_date"] for each in pages.get(expected, program=True).told["days"]]
    assert days == ["2025-03-20", "2025-03-10"]  # the newest first


async def test_a_day_is_found_by_event_charge_and_product(live: Live, pages: Pages, others: Pages) -> None:
    """Whatever a person has at hand leads to the same day, whichever worker owns what is asked for."""
    path = day_of(pages)
    [charge] = [
        event
        for event in await live.billing_events()
        if event.patient == f"LAKE|{MRN}" and event.kind is Kind.CHARGE and event.code == "38225"
    ][-1:]
    events = [key for key, made in (await live.decisions()).items() if made[0].procedure_id == "C1"]
    for asked in (pages, others):
        assert asked.followed(charge.id.upper()) == f"{path}#{charge.id}"
        assert [asked.followed(event) for event in events] == [f"{path}#{event}" for event in events]
        assert asked.followed("W3100") == pages.followed(MRN, "LAKE")


def test_whether_each_service_is_charged_stands_first(pages: Pages) -> None:
    """Charged once, withdrawn, or nothing known; with what won, and why the others did not."""
    told = pages.get(day_of(pages), program=True).told
    lines = {line["service"]: line for line in told["sheet"]["lines"]}
    assert [*lines] == ["collection", "transport", "receipt", "administration"]
    states = {service: line["verdict"]["state"] for service, line in lines.items()}
    assert states == {
        "collection": "charged",
        "transport": "uncharged",
        "receipt": "none",
        "administration": "none",
    }
    collected = lines["collection"]
    assert "Another procedure counts for it and is not charged" in collected["verdict"]["said"]
    assert len(collected["charges"]) == 1
    assert len(collected["taken_back"]) == 1  # before the correction
    first, second = collected["procedures"]
    assert [event["holds"] for event in first["events"]] == [False, True]
    assert "It does not hold: version 2 is higher than version 1." in first["events"][0]["why"]
    assert second["events"][0]["outcome"] == "already_reported"
    assert "the source withdrew the procedure" in lines["transport"]["verdict"]["said"]
    page = pages.get(day_of(pages)).body
    assert page.index("Charged once.") < page.index("Procedure C1")


def test_what_the_ledger_no_longer_keeps_is_read_on_demand(pages: Pages) -> None:
    """What a resend said: from its topic, masked like all else."""
    path = day_of(pages, "2025-03-20")

    def resent(role: Role, query: str = "") -> Any:
        lines = pages.get(path + query, role, program=True).told["sheet"]["lines"]
        [course] = next(line["procedures"] for line in lines if line["service"] == "receipt")
        return course["events"][1]

    assert (resent(Role.VIEWER)["outcome"], resent(Role.VIEWER)["statement"]) == ("repeated", None)
    assert resent(Role.ANALYST, "?read")["statement"]["account_number"] == "ACC-31"
    assert resent(Role.VIEWER, "?read")["statement"]["account_number"] == "***"


def test_the_course_of_the_therapy_is_drawn(pages: Pages) -> None:
    """Each procedure in the lane of its service, what is missing as well."""
    told = pages.get(day_of(pages), program=True).told
    [course] = pages.get(told["episodes"], program=True).told["courses"]
    assert [done["service"] for done in course["procedures"]] == [
        "collection",
        "collection",
        "transport",
        "receipt",
    ]
    assert [lacking["service"] for lacking in course["lacking"]] == ["transport", "administration"]
    page = pages.get(told["episodes"]).body
    assert page.count("<circle") == 6
    assert course["products"] == [{"letter": "A", "id": "W3100"}]


def test_a_viewer_sees_no_patient(pages: Pages) -> None:
    """On no page that links lead to, and in no twin of one; and may look for one all the same."""
    start = pages.find(MRN, "LAKE", Role.VIEWER)[0]["href"]
    seen = pages.crawl(start, Role.VIEWER)
    assert {path.split("/")[1] for path in seen} == {"patients", "patient-days", "episodes"}
    twins = {path: pages.get(path, Role.VIEWER, program=True) for path in seen}
    for path, answer in (*seen.items(), *twins.items()):
        assert not [secret for secret in SECRETS if secret in answer.body], path
    assert "LAKE|***" in seen[start].body
    assert "***" in seen[day_of(pages)].body


async def test_an_analyst_sees_the_patient_and_that_is_noted(live: Live, pages: Pages) -> None:
    """Each look with the opaque id of the page; those of a viewer are none."""
    path = day_of(pages)
    topic = live.topics.access.name

    async def looks() -> list[Access]:
        records = await read_all(live.settings, topic)
        found = [msgspec.json.decode(record.value, type=Access) for record in records]
        return [access for access in found if access.did is Did.LOOK]

    before = len(await looks())
    assert pages.get(path, Role.VIEWER).status == 200
    assert len(await looks()) == before
    page, twin = pages.get(path).body, pages.get(path, program=True).body
    for secret in (MRN, "ACC-31", "ENC-31", "W3100", "MSG-31"):
        assert secret in page
        assert secret in twin
    noted = (await looks())[before:]
    assert [(access.user, access.page, access.about) for access in noted] == [
        ("analyst", "/patient-days/{day}", path.rpartition("/")[2])
    ] * 2
    raw = b"".join(record.value for record in await read_all(live.settings, topic))
    assert MRN.encode() not in raw


def test_no_url_and_no_title_names_a_patient(pages: Pages) -> None:
    """Of any link, form or picture of these pages; nor does a log of the workers."""
    for path, answer in pages.crawl(pages.followed(MRN, "LAKE"), Role.ANALYST).items():
        assert MRN not in unquote(path)
        assert not [link for link in links(answer.body) if MRN in unquote(link)]
        assert MRN not in "".join(re.findall(r"<title>.*?</title>", answer.body))
    assert MRN not in pages.worker.log.read_text()


def test_two_workers_give_the_same_page(pages: Pages, others: Pages) -> None:
    """To people and to programs, whoever of them owns the patient."""
    for path in pages.crawl(pages.followed(MRN, "LAKE"), Role.ANALYST):
        for program in (False, True):
            assert pages.get(path, program=program).body == others.get(path, program=program).body


def test_an_operator_is_refused(pages: Pages) -> None:
    """Patients are none of theirs, not even masked."""
    for path in ("/find", pages.followed(MRN, "LAKE"), day_of(pages)):
        assert pages.get(path, Role.OPERATOR).status == 403


def test_what_was_not_named_here_is_not_found(pages: Pages) -> None:
    """A patient's page cannot be guessed, nor a day made of a patient's name."""
    opaque = pages.followed(MRN, "LAKE").rpartition("/")[2]
    for path in (f"/patient-days/{opaque}", f"/patients/{opaque[:-2]}", f"/patients/LAKE%7C{MRN}"):
        assert pages.get(path).status == 404


async def test_what_waits_is_found_on_the_worklist(live: Live, pages: Pages) -> None:
    """An event that is held, or a dead letter, has no day yet; once it is released it has."""
    held, dead = await live.take([stated("H1", mrn=LOSING, version=None), b"none of ours"])
    for event, page in ((held, "holds"), (dead, "dead-letters")):
        [hit] = pages.find(event)
        assert hit["href"] == f"/{page}/{event}"
        assert "It waits for a person." in hit["note"]
    await live.take([order("release", "h1", item=held, fill={"version": 1})])
    [_, hit] = pages.find(held)
    assert hit["href"] == f"{day_of(pages, mrn=LOSING)}#{held}"


def test_what_is_not_known_is_said_and_not_repeated(pages: Pages) -> None:
    """Of whatever kind; what cannot be anything is said to be so."""
    for text in ("LAKE|9999999", "no-such-product", "0" * 32):
        assert pages.find(text) == []
    [hit] = pages.find(f"{pages.worker.settings.topic_prefix}lab.procedures:0:99999999999:0")
    assert (hit["href"], hit["said"]) == (None, "Its topic no longer holds this record, or never did.")
    answer = pages._ask("POST", "/find", Role.VIEWER, False, urlencode({"text": "NOBODY|9999999"}))
    assert "names nothing that can be looked for" in answer.body
    assert "9999999" not in answer.body


async def test_a_merged_patient_leads_to_whoever_has_the_charges_now(live: Live, pages: Pages) -> None:
    """Search and pages say that it was merged, and lead there; an event leads to where its procedure is."""
    [event] = await live.take([stated("M1", mrn=LOSING, performed={"start": "2025-04-01T09:00:00"})])
    former = day_of(pages, "2025-04-01", LOSING)
    await live.take([order("merge", "m1", losing=f"LAKE|{LOSING}", surviving=f"LAKE|{MRN}")])
    now, before = pages.find(LOSING, "LAKE")
    assert now["href"] == pages.followed(MRN, "LAKE")
    assert "merged" in now["note"]
    [hit] = pages.find(event)
    assert hit["href"] == f"{day_of(pages, '2025-04-01')}#{event}"
    assert "merged" in hit["note"]
    for path in (before["href"], former):
        assert "merged into another" in pages.get(path).body
        notices = pages.get(path, program=True).told["notices"]
        assert now["href"] in [notice["href"] for notice in notices]
    back = pages.get(now["href"], program=True).told["notices"]
    assert before["href"] in [notice["href"] for notice in back]


async def test_a_procedure_that_another_patient_has_leads_there(live: Live, pages: Pages) -> None:
    """A later statement said that it was another's: the day of the former one says so."""
    first, other = "6660471400", "6660471500"
    await live.take([stated("V1", mrn=first, products=[])])
    path = day_of(pages, mrn=first)
    await live.take([stated("V1", mrn=other, products=[], version=2)])
    told = pages.get(path, program=True).told
    assert [notice["href"] for notice in told["notices"]] == [pages.followed(other, "LAKE")]
    assert told["sheet"]["lines"][0]["verdict"] == {
        "state": "uncharged",
        "said": "Not charged here: the procedure belongs to another patient. "
        "By a higher statement a procedure is another patient's, or this one's again.",
    }
    assert "is another patient&#39;s." in pages.get(path).body


async def test_what_waits_of_a_day_is_one_step_away(live: Live, pages: Pages) -> None:
    """A correction, a credit of what was on a claim, a word on the units: each opens, and no URL has what
    people called it."""
    mrn = "6660471600"
    on = {"patient": f"LAKE|{mrn}", "stream": "facility", "service": "collection"}
    await live.take([stated("K1", mrn=mrn, products=[])])
    await live.take([stated("K1", mrn=mrn, products=[], version=2, status="withdrawn")])
    await live.take([on_claim(event) for event in await charges(live, mrn)])
    await live.take([stated("K2", mrn=mrn, products=[])])
    await live.take([on_claim(event) for event in (await charges(live, mrn))[1:]])
    await live.take([stated("K2", mrn=mrn, products=[], version=2, status="withdrawn")])
    await live.take([order("opening_balance", f"of {mrn}", service_date="2025-03-10", **on)])
    page = pages.get(day_of(pages, mrn=mrn)).body
    ahead = {link for link in links(page) if link.startswith("/holds/")}
    assert not [link for link in ahead if mrn in unquote(link)]
    opened = [pages.get(link, program=True) for link in ahead]
    assert [answer.status for answer in opened] == [200] * 3
    kinds = sorted(answer.told["line"]["kind"] for answer in opened)
    assert kinds == ["claimed", "correction", "correction"]


async def test_an_alert_leads_to_every_patient_that_it_is_about(live: Live, pages: Pages) -> None:
    """One product under two patients: a viewer comes to both pages, and sees neither patient nor product."""
    first, second, product = "6660471700", "6660471800", "W3117"
    for mrn in (first, second):
        await live.take([stated(f"P{mrn}", mrn=mrn, products=[product])])
    path = "/holds?kind=alert"
    alerts = {
        role: [
            each
            for each in pages.get(path, role, program=True).told["items"]
            if each["releases"].startswith("one product")
        ]
        for role in (Role.ANALYST, Role.VIEWER)
    }
    [name] = [each["name"] for each in alerts[Role.ANALYST] if product in each["releases"]]
    assert name in [each["name"] for each in alerts[Role.VIEWER]]
    item = f"/holds/{name}"
    told = pages.get(item, Role.VIEWER, program=True).told
    assert told["others"] == [{"patient": "LAKE|***", "href": pages.followed(first, "LAKE")}]
    assert told["patient_href"] == pages.followed(second, "LAKE")
    for each in (path, item):
        for program in (False, True):
            body = pages.get(each, Role.VIEWER, program=program).body
            assert not [secret for secret in (first, second, product) if secret in body], each
    whole = pages.get(item).body
    assert f'<a href="{pages.followed(first, "LAKE")}">LAKE|{first}</a>' in whole
    assert product in whole


async def test_a_forgotten_charge_is_no_longer_found(live: Live, pages: Pages) -> None:
    """Once the day is removed nothing leads from the charge to its patient."""
    mrn = "6660471300"
    await live.take([stated("F1", mrn=mrn, products=[])])
    [charge] = [event for event in await live.billing_events() if event.patient == f"LAKE|{mrn}"]
    assert len(pages.find(charge.id)) == 1
    await live.take([order("forget", "f1", patient=f"LAKE|{mrn}", before="2025-03-11")])
    assert pages.find(charge.id) == []


def test_pages_keep_their_places_when_a_worker_is_started_anew(pages: Pages) -> None:
    """What somebody wrote down leads to the same day."""
    path = day_of(pages)
    before = pages.get(path, program=True).body
    pages.worker.process.stop()
    pages.worker.start()
    pages.worker.wait_ready()
    assert pages.get(path, program=True).body == before
    assert day_of(pages) == path
