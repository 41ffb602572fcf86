"""A patient-day is told as a person reads it: a verdict for each service, and how it came to that."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from models.billing import Acknowledged, BillingEvent, Outcome
from models.codes import Service
from models.entries import Acknowledgement, AnyEntry, Opening, Override
from models.procedures import Performer, ProcedureEvent, Reporting, Status, Stream
from streams.views.hrefs import Hrefs
from streams.views.listing import id_of
from streams.views.masking import HIDDEN, Mask
from streams.views.patient_day import picture
from streams.views.secret import Secret
from streams.views.sheet import Line, Sheet, sheet, unkept
from streams.views.site import Site
from tests.models.entered import opened
from tests.models.ledger import Ledger
from tests.models.said import MONDAY, PATIENT, said, standing, withdrawn

KEYS = Secret("the secret of an installation of the tests")
HREFS = Hrefs(cast(Site, SimpleNamespace(keys=KEYS)))
COLLECTION: Any = {"stream": Stream.FACILITY, "service": Service.COLLECTION, "service_date": MONDAY}


def told(*entries: AnyEntry, show: bool = True, ledger: Ledger | None = None) -> Sheet:
    """What is told of Monday after ``entries``."""
    ledger = (ledger or Ledger()).apply_all(entries)
    return sheet(ledger.days[PATIENT, MONDAY], ledger.patients[PATIENT], Mask(show), HREFS)


def line(of: Sheet, service: Service = Service.COLLECTION) -> Line:
    return next(line for line in of.lines if line.service is service)


def item_at(href: str | None) -> str:
    """The item of a page of the worklist."""
    path, _, name = (href or "").rpartition("/")
    assert path == "/holds"
    return id_of(KEYS, name)


def on_claim(charge: BillingEvent) -> Acknowledgement:
    return Acknowledgement(
        patient=PATIENT, event_id="acks:0:0:0", charge_id=charge.id, status=Acknowledged.ON_CLAIM
    )


def test_every_service_has_a_line_in_the_order_of_the_therapy() -> None:
    """Whatever is known of it; both streams where both bill it."""
    of = told(said("A"), said("P", stream=Stream.PROFESSIONAL), said("R", service=Service.RECEIPT))
    assert [(line.service, line.stream) for line in of.lines] == [
        (Service.COLLECTION, Stream.FACILITY),
        (Service.COLLECTION, Stream.PROFESSIONAL),
        (Service.TRANSPORT, None),
        (Service.RECEIPT, Stream.FACILITY),
        (Service.ADMINISTRATION, None),
    ]


def test_what_is_charged_is_said_first() -> None:
    """Once, however many count; what billing did with it as well."""
    ledger = Ledger().apply_all([said("A"), said("B"), said("C")])
    [charge] = standing(ledger)
    ack = Acknowledgement(
        patient=PATIENT, event_id="acks:0:0:0", charge_id=charge.id, status=Acknowledged.ACCEPTED
    )
    verdict = line(told(ack, ledger=ledger)).verdict
    assert verdict.state == "charged"
    assert verdict.said == (
        "Charged once. 2 other procedures count for it and are not charged: once a day. Billing accepted it."
    )


@pytest.mark.parametrize(
    ("entries", "state", "why"),
    [
        ([said("A"), withdrawn("A")], "uncharged", "the source withdrew the procedure"),
        ([said("A", status=Status.IN_PROGRESS)], "uncharged", "It had begun and was not completed."),
        ([said("A", reporting=Reporting.IN_PRODUCT)], "uncharged", "within the product's charge"),
        (
            [
                Opening(patient=PATIENT, event_id="c:0:0:0", command="o", name="o", **COLLECTION),
                said("A"),
            ],
            "duplicate",
            "The system in use before go-live charged the unit.",
        ),
        (
            [Override(patient=PATIENT, event_id="c:0:0:0", command="o", name="o", **COLLECTION)],
            "none",
            "No procedure of it is known on this day.",
        ),
    ],
)
def test_why_nothing_is_charged_is_said_in_one_line(entries: list[AnyEntry], state: str, why: str) -> None:
    """Of the reason that is true now."""
    verdict = line(told(*entries)).verdict
    assert verdict.state == state
    assert why in verdict.said


def test_the_statement_that_won_is_told_from_the_others() -> None:
    """By version, and where that is the same by what takes a charge away."""
    first, second, third = said("A"), said("A", 2, account_number="A2"), withdrawn("A", 2)
    [course] = line(told(first, second, third)).procedures
    assert [(event.event_id, event.holds) for event in course.events] == [
        (first.event_id, False),
        (second.event_id, False),
        (third.event_id, True),
    ]
    assert "It does not hold: version 2 is higher than version 1." in course.events[0].why
    below = 'It does not hold: of the same version, "withdrawn" goes before "performed".'
    assert below in course.events[1].why
    assert "It holds: version 2 is the highest." in course.events[2].why


def test_an_event_whose_words_are_not_kept_is_still_told() -> None:
    """That it repeated another, and its id; its words, too, where they were read from its topic."""
    event = said("A")
    again = msgspec.structs.replace(event, event_id="lab.procedures:0:999:0")
    ledger = Ledger()
    [course] = line(told(event, again, ledger=ledger)).procedures
    repeated = course.events[1]
    assert (repeated.event_id, repeated.outcome) == (again.event_id, Outcome.REPEATED)
    assert (repeated.statement, repeated.why) == (None, ["The same was said before."])
    assert unkept(ledger.days[PATIENT, MONDAY]) == [again.event_id]
    read = sheet(
        ledger.days[PATIENT, MONDAY], ledger.patients[PATIENT], Mask(True), HREFS, {again.event_id: again}
    )
    assert line(read).procedures[0].events[1].statement == again


def test_what_waits_for_a_person_leads_to_the_worklist() -> None:
    """A correction of a charge that is on a claim: with the charge that stands meanwhile."""
    ledger = Ledger().apply_all([said("A")])
    [charge] = standing(ledger)
    correction = withdrawn("A")
    of = told(on_claim(charge), correction, ledger=ledger)
    assert line(of).verdict.state == "charged"
    waits = line(of).procedures[0].events[1]
    assert (waits.outcome, item_at(waits.href)) == (Outcome.HELD, f"correction:{correction.event_id}")
    assert waits.statement is not None
    assert [waiting.href for waiting in of.waiting] == [waits.href]


def test_every_way_to_the_worklist_leads_there_and_names_nobody() -> None:
    """Whatever waits: its id may hold what a person called a command."""
    ledger = Ledger().apply_all([said("A")])
    [first] = standing(ledger)
    ledger.apply_all([withdrawn("A"), on_claim(first), said("B")])
    [second] = standing(ledger)
    correction = withdrawn("B")
    of = told(on_claim(second), correction, opened("4711"), ledger=ledger)
    [course] = [course for course in line(of).procedures if course.procedure_id == "B"]
    taken_back = [each.href for each in line(of).taken_back]
    hrefs = [*(each.href for each in of.waiting), *taken_back, *(event.href or "" for event in course.events)]
    hrefs = [href for href in hrefs if href]
    parked = f"correction:{correction.event_id}"
    [claimed] = ledger.patients[PATIENT].claimed
    assert [item_at(href) for href in hrefs] == [parked, "opening:4711", claimed, parked]
    assert not [href for href in hrefs if href and ("4711" in href or ":" in href)]


def test_a_charge_that_was_taken_back_is_told_with_its_reason() -> None:
    """And what brought it about."""
    event = withdrawn("A")
    [back] = line(told(said("A"), event)).taken_back
    assert (back.cause, back.why) == (event.event_id, "The procedure that was charged no longer counts.")


def test_when_it_was_said_is_drawn_a_lane_for_each_procedure() -> None:
    """In full what holds; nothing is drawn of a single statement."""
    of = told(said("A"), said("A", 2, received=1741600060000), said("B", received=1741600120000))
    drawn = picture(of)
    assert drawn is not None
    assert [name for name, _ in drawn.lanes] == ["A", "B"]
    assert [mark.point.hollow for mark in drawn.marks] == [True, False, False]
    assert [mark.x for mark in drawn.marks] == sorted(mark.x for mark in drawn.marks)
    assert picture(told(said("A"))) is None


NOT_OF_A_PATIENT = {
    *("event_id", "received", "source", "procedure_id", "version_kind", "version", "status", "digest"),
    *("settings", "facility", "stream", "service", "service_date", "reporting", "code", "stated_code"),
    *("survivor", "revenue_code", "charge_code", "patient_class", "modifiers", "performers"),
    *("performed_start", "performed_end", "warnings", "filing_limit", "unique", "held_on_claim", "decided"),
    *("because", "again", "follows", "command", "restated", "counted"),
    *("kind", "id", "charge_id", "reverses", "unit", "sequence", "units", "code_system", "procedure"),
    *("covers", "cause", "reason"),
}
"""What anybody may see who may see a patient-day."""


@pytest.mark.parametrize("told_of", [ProcedureEvent, BillingEvent])
def test_no_field_is_shown_by_mistake(told_of: type[ProcedureEvent | BillingEvent]) -> None:
    """Whoever adds one must say whether a patient may be known by it."""
    ledger = Ledger()
    event = said(
        account_number="N",
        encounter_number="N",
        message_id="N",
        product_ids=("N", "N"),
        performers=(Performer("1234567893"),),
    )
    ledger.apply(event)
    whole = event if told_of is ProcedureEvent else standing(ledger)[0]
    hidden = Mask(False).of(whole)  # type: ignore[type-var]
    masked = {name for name in told_of.__struct_fields__ if getattr(hidden, name) != getattr(whole, name)}
    assert masked == {*told_of.__struct_fields__} - NOT_OF_A_PATIENT
    assert hidden.patient == "UH|***"
    assert hidden.product_ids == (HIDDEN, HIDDEN)
    assert Mask(True).of(whole) is whole  # type: ignore[type-var]
