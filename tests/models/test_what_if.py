"""What another facilities file would make of what was said, and what is sent to make it so."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from models.billing import Decision, Outcome, Reason
from models.codes import Service
from models.commands import Release, Restate
from models.entries import AnyEntry, Expiry, Opening, Override
from models.links import Merge
from models.posting import Posting
from models.procedures import ProcedureEvent, Reporting, Status, Stream, VersionKind, decode_procedure
from models.revision import Act, Change, Order, Revision, command, decode_revision, encode_revision
from models.what_if import Difference, Effect, differences, outcomes, play, revised
from tests.models.ledger import Ledger
from tests.models.network import Network
from tests.models.said import MONDAY, PATIENT, TUESDAY, said, standing

OTHER = "UH|0067890"
ORDER = Order("f1", "ada", datetime(2026, 1, 1, tzinfo=UTC), "another contract")


class Logged(Ledger):
    """Keeps what every patient's ledger was given."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: dict[str, list[AnyEntry]] = {}

    def apply(self, entry: AnyEntry) -> Posting:
        self.logs.setdefault(entry.patient, []).append(entry)
        return super().apply(entry)


def settled(event: ProcedureEvent, **other: Any) -> ProcedureEvent:
    """The same record, as another file resolves it."""
    return replace(event, settings="s2", **other)


def held(event: ProcedureEvent, sequence: int = 1, outcome: Outcome = Outcome.HELD) -> Decision:
    """What intake decided instead of passing ``event`` on."""
    return Decision(
        event_id=event.event_id,
        sequence=sequence,
        cause=event.event_id,
        outcome=outcome,
        reason=Reason.UNMAPPED_CODE,
        patient=event.patient,
    )


def change(event: ProcedureEvent, now: ProcedureEvent | Decision, decision: Decision | None = None) -> Change:
    """An event that was taken in as ``event``, unless there is a ``decision`` instead."""
    return Change(event.event_id, [] if decision else [event], decision, now)


def compared(
    log: Iterable[AnyEntry], changes: Iterable[Change], patient: str = PATIENT, **merged: str
) -> tuple[list[Difference], dict[str, tuple[Outcome, Outcome]]]:
    """What would differ of one patient, and what would become of the events for which that differs."""
    entries = [*log]
    revisions = [
        decode_revision(encode_revision(revision))
        for each in changes
        for whose, revision in each.revisions(merged)
        if whose == patient
    ]
    before, after = play(entries), play(revised(entries, revisions))
    became = {event_id: (was, now) for event_id, was, now in outcomes(before, after, revisions)}
    return [*differences(before, after)], became


def shown(found: Iterable[Difference]) -> list[tuple[Effect, str, date, tuple[str, ...]]]:
    """Effect, procedure, service date and fields."""
    return [
        (effect, charge.procedure.procedure_id, charge.service_date, fields)
        for effect, charge, fields in found
    ]


def test_another_revenue_code_makes_a_charge_look_different() -> None:
    """It would stand all the same; the field is named."""
    event = said("A")
    found, became = compared([event], [change(event, settled(event, revenue_code="0490"))])
    assert shown(found) == [(Effect.WOULD_DIFFER, "A", MONDAY, ("revenue_code",))]
    assert found[0].charge.revenue_code == "0490"
    assert became == {}


def test_a_service_that_would_be_within_the_product_would_no_longer_stand() -> None:
    """And what it covers is not charged in its place, where the same holds for that."""
    events = [said("A"), said("B")]
    changes = [change(event, settled(event, reporting=Reporting.IN_PRODUCT)) for event in events]
    found, became = compared(events, changes)
    assert shown(found) == [(Effect.WOULD_NOT_STAND, "A", MONDAY, ())]
    assert became == {
        events[0].event_id: (Outcome.REPORTED, Outcome.IN_PRODUCT),
        events[1].event_id: (Outcome.ALREADY_REPORTED, Outcome.IN_PRODUCT),
    }


def test_what_fills_a_unit_in_the_place_of_another_is_told() -> None:
    """The charge would show the other procedure; that one's event would be `reported`."""
    events = [said("A"), said("B")]
    found, became = compared(events, [change(events[0], settled(events[0], reporting=Reporting.NOT_OURS))])
    [(effect, procedure, _, fields)] = shown(found)
    assert (effect, procedure) == (Effect.WOULD_DIFFER, "B")
    assert "procedure" in fields
    assert became[events[1].event_id] == (Outcome.ALREADY_REPORTED, Outcome.REPORTED)


def test_an_event_that_is_held_and_would_resolve_would_stand() -> None:
    """It is one charge more, and an event that would be `reported`."""
    other, waits = said("A"), said("B", service_date=TUESDAY)
    found, became = compared([other], [change(waits, waits, held(waits))])
    assert shown(found) == [(Effect.WOULD_STAND, "B", TUESDAY, ())]
    assert became == {waits.event_id: (Outcome.HELD, Outcome.REPORTED)}


def test_an_event_that_would_be_held_would_no_longer_stand() -> None:
    """Its outcome would be the one that intake gives it."""
    event = said("A")
    found, became = compared([event], [change(event, held(event))])
    assert shown(found) == [(Effect.WOULD_NOT_STAND, "A", MONDAY, ())]
    assert became == {event.event_id: (Outcome.REPORTED, Outcome.HELD)}


def test_a_charge_that_would_be_on_another_date_is_one_difference() -> None:
    """Not one that falls and one that stands: the date is among the fields."""
    event = said("A", service_date=date(2024, 12, 31), code="0537T")
    now = settled(event, service_date=date(2025, 1, 1), code="38225")
    found, _ = compared([event], [change(event, now)])
    assert shown(found) == [(Effect.WOULD_DIFFER, "A", date(2025, 1, 1), ("code", "service_date"))]


def test_an_event_of_another_patient_would_stand_there_and_not_here() -> None:
    """Two spellings that the other file takes for one patient: one of their charges falls."""
    here, there = said("A"), said("B", patient=OTHER)
    now = settled(there, patient=PATIENT, stated_patient=PATIENT)
    changed = change(there, now)._replace(decision=held(there, outcome=Outcome.REPORTED))
    assert changed.act is Act.OTHER_PROCEDURE
    found, became = compared([there], [changed], OTHER)
    assert (shown(found), became) == ([(Effect.WOULD_NOT_STAND, "B", MONDAY, ())], {})
    found, became = compared([here], [changed])
    assert (shown(found), became) == ([], {there.event_id: (Outcome.REPORTED, Outcome.ALREADY_REPORTED)})


def test_what_people_decided_counts_on_both_sides() -> None:
    """A unit allowed, one charged before go-live, a day forgotten: none of them is a difference."""
    about: dict[str, Any] = {
        "patient": PATIENT,
        "stream": Stream.FACILITY,
        "service": Service.COLLECTION,
        "service_date": MONDAY,
    }
    old = said("O", service_date=date(2019, 6, 3))
    events = [said("A"), said("B"), said("C")]
    log: list[AnyEntry] = [
        Override(event_id="c:0:0:0", command="c0", name="c0", **about),
        Override(event_id="c:0:1:0", command="c1", name="c1", **about),
        Opening(event_id="c:0:2:0", command="c2", name="c2", **about),
        old,
        *events,
        Expiry(patient=PATIENT, event_id="c:0:3:0", before=date(2020, 1, 1)),
    ]
    changes = [change(event, settled(event, revenue_code="0490")) for event in (old, *events)]
    found, _ = compared(log, changes)
    assert shown(found) == [
        (Effect.WOULD_DIFFER, "A", MONDAY, ("revenue_code",)),
        (Effect.WOULD_DIFFER, "B", MONDAY, ("revenue_code",)),
    ]


def test_a_merged_patients_charge_would_differ_at_the_survivor() -> None:
    """The statement is the losing patient's, its charge the survivor's."""
    network = Network(Random(1))
    network.ledger = ledger = Logged()
    event = said("A", patient=OTHER)
    merge = Merge(event_id="c:0:0:0", id="m", time=1, losing=OTHER, surviving=PATIENT)
    network.run([event, merge])
    copies = [event, replace(event, patient=PATIENT)]
    changed = Change(event.event_id, copies, None, settled(event, revenue_code="0490"))
    assert compared(ledger.logs[OTHER], [changed], OTHER) == ([], {})
    found, _ = compared(ledger.logs[PATIENT], [changed])
    assert shown(found) == [(Effect.WOULD_DIFFER, "A", MONDAY, ("revenue_code",))]


def test_a_merged_patients_statement_is_restated_at_the_survivor() -> None:
    """The command names the losing patient; home sends it on, and one charge stands."""
    network = Network(Random(1))
    event = said("A", patient=OTHER)
    merge = Merge(event_id="c:0:0:0", id="m", time=1, losing=OTHER, surviving=PATIENT)
    network.run([event, merge])
    copies = [event, replace(event, patient=PATIENT)]
    told = command(Change(event.event_id, copies, None, settled(event, revenue_code="0490")), ORDER)
    assert isinstance(told, Restate)
    network.run([statement_of(told)])
    assert [(charge.patient, charge.revenue_code) for charge in standing(network.ledger)] == [
        (PATIENT, "0490")
    ]


def test_what_would_be_taken_in_of_a_merged_patient_would_stand_at_the_survivor() -> None:
    """It was held, so that no ledger has ever heard of it."""
    waits = said("B", patient=OTHER)
    found, _ = compared(
        [said("A", service_date=TUESDAY)], [change(waits, waits, held(waits))], **{OTHER: PATIENT}
    )
    assert [(effect, charge.patient) for effect, charge, _ in found] == [(Effect.WOULD_STAND, PATIENT)]


def test_what_the_rule_fails_on_is_left_out_and_the_others_count() -> None:
    """As in the ledger: it is a dead letter there."""
    broken, event = said("A", revenue_code=None), said("B")
    found, became = compared([broken, event], [change(event, settled(event, account_number="A2"))])
    assert shown(found) == [(Effect.WOULD_DIFFER, "B", MONDAY, ("account_number",))]
    assert broken.event_id not in became


@pytest.mark.parametrize("seed", range(20))
def test_what_is_foretold_is_what_stands_once_it_is_applied(seed: int) -> None:
    """The commands, put to the ledger, leave those units standing that were foretold, and no others."""
    random = Random(seed)
    events = [
        said(
            procedure_id,
            version,
            service_date=random.choice((MONDAY, TUESDAY)),
            status=random.choice(STATUSES),
        )
        for procedure_id in "ABCD"
        for version in range(1, random.randint(2, 4))
    ]
    random.shuffle(events)
    ledger = Ledger().apply_all(events)
    changes = [change(event, settled(event, **random.choice(OTHERWISE))) for event in events]
    revisions = [revision for each in changes for _, revision in each.revisions({})]
    foretold = play(revised(events, revisions)).charges.keys()
    for number, each in enumerate(changes):
        told = command(each, ORDER)
        if isinstance(told, Restate):
            restated(ledger, told, number)
    units = (unit for day in ledger.days.values() for units in day.units.values() for unit in units)
    stand = {
        (charge.stream, charge.service, charge.service_date, charge.unit)
        for unit in units
        if (charge := unit.charge) is not None
    }
    assert stand == foretold


STATUSES = (Status.PERFORMED, Status.PERFORMED, Status.NOT_PERFORMED, Status.WITHDRAWN)
OTHERWISE: tuple[dict[str, Any], ...] = (
    {},
    {"revenue_code": "0490"},
    {"reporting": Reporting.IN_PRODUCT},
    {"service_date": MONDAY},
    {"service": Service.RECEIPT, "code": "38227"},
)


def restated(ledger: Ledger, told: Restate, number: int = 0) -> Posting:
    """As intake passes it on."""
    return ledger.apply(statement_of(told, number))


def statement_of(told: Restate, number: int = 0) -> ProcedureEvent:
    statement = decode_procedure(msgspec.json.encode(told.model_dump(mode="json")["statement"]))
    at = int(told.time.timestamp() * 1000)
    return replace(statement, because=f"perdiem.commands:0:{number}:0", restated=at)


def test_a_statement_applied_credits_and_charges_anew() -> None:
    """It takes the place of the former one under the same event id; applied again it changes nothing."""
    event = said("A")
    ledger = Ledger().apply_all([event])
    told = command(change(event, settled(event, revenue_code="0490")), ORDER)
    assert isinstance(told, Restate)
    verdict = restated(ledger, told)
    assert [(each.kind, each.revenue_code, each.event_id) for each in verdict.billing_events] == [
        ("credit", "0871", event.event_id),
        ("charge", "0490", event.event_id),
    ]
    assert restated(ledger, told).billing_events == []


@pytest.mark.parametrize(
    ("now", "decision", "act"),
    [
        ({"revenue_code": "0490"}, None, Act.RESTATE),
        ({"warnings": ("late",)}, None, None),
        ({"received": 1}, None, None),
        ({"patient": OTHER, "stated_patient": OTHER}, None, Act.OTHER_PROCEDURE),
        ({"source": "other"}, None, Act.OTHER_PROCEDURE),
        ({"version_kind": VersionKind.RECORDED}, None, Act.OTHER_PROCEDURE),
        (Outcome.HELD, None, Act.WOULD_BE_HELD),
        (Outcome.NOT_OURS, None, Act.WOULD_BE_LEFT_OUT),
        ({}, Outcome.HELD, Act.RELEASE),
        (Outcome.NOT_OURS, Outcome.HELD, Act.RELEASE),
        (Outcome.HELD, Outcome.HELD, None),
        ({}, Outcome.NOT_OURS, Act.RESTATE),
        ({}, Outcome.REJECTED, None),
        ({}, Outcome.DEAD_LETTERED, None),
    ],
)
def test_what_is_done_about_an_event(
    now: dict[str, Any] | Outcome, decision: Outcome | None, act: Act | None
) -> None:
    """Stated anew where that can take the former's place, released where it is held, else left as it is."""
    event = said("A")
    told = held(event, outcome=now) if isinstance(now, Outcome) else settled(event, **now)
    changed = change(event, told, held(event, outcome=decision) if decision else None)
    assert changed.act is act
    sent = command(changed, ORDER)
    assert {Act.RESTATE: Restate, Act.RELEASE: Release}.get(act or Act.FILLED_IN, type(None)) is type(sent)


def test_what_a_person_filled_in_is_left() -> None:
    """Its record does not hold what was filled in, and would be held again. What was restated is not that."""
    event = said("A")
    released = replace(event, because="perdiem.commands:0:1:0", decided=1)
    assert change(released, held(event)).act is Act.FILLED_IN
    assert [*change(released, held(event)).revisions({})] == []
    again = replace(event, because="perdiem.commands:0:1:0", restated=5, revenue_code="0490")
    changed = Change(event.event_id, [event, again], None, settled(event, revenue_code="0490"))
    assert changed.act is None
    assert changed._replace(copies=[event, again, event]).act is None


def test_a_command_has_one_id_for_one_state_of_its_event() -> None:
    """Sent twice it is the same; after another file was applied, or a release was refused, it is another."""
    event = said("A")
    now = settled(event, revenue_code="0490")
    first = command(change(event, now), ORDER)
    assert first == command(change(event, now), ORDER)
    since = replace(event, restated=7, because="perdiem.commands:0:1:0", revenue_code="0500")
    then = command(Change(event.event_id, [event, since], None, now), ORDER)
    other = command(change(event, now), ORDER._replace(file="f2"))
    released = command(change(event, now, held(event)), ORDER)
    later = command(change(event, now, held(event, sequence=2)), ORDER)
    assert first is not None
    assert len({each.id for each in (first, then, other, released, later) if each}) == 5


def test_a_restated_event_goes_on_with_its_numbers() -> None:
    """What was not ours was decided once: its first decision as a procedure is the second."""
    event = said("A")
    told = command(change(event, event, held(event, outcome=Outcome.NOT_OURS)), ORDER)
    assert isinstance(told, Restate)
    assert restated(Ledger(), told).decisions[0].sequence == 2


def test_a_revision_keeps_all_on_its_way_to_disk() -> None:
    """What is added is read as the entry that it was."""
    event = said("A")
    for revision in (
        Revision(event.event_id, event),
        Revision(event.event_id, instead=Outcome.HELD),
        Revision(event.event_id, added=event, was=Outcome.HELD),
    ):
        assert decode_revision(encode_revision(revision)) == revision
