"""Statements: which one holds, and on which day its procedure stands."""

import msgspec
import pytest

from models.billing import Outcome
from models.codes import Service
from models.procedures import Status, Stream, VersionKind
from tests.models.ledger import Ledger
from tests.models.said import (
    MONDAY,
    PATIENT,
    TUESDAY,
    latest,
    said,
    sent,
    sent_withdrawn,
    standing,
    told,
    withdrawn,
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_bare_withdrawal_is_told_with_what_is_known_of_its_procedure(ledger: Ledger) -> None:
    """It says only whom it withdraws; people find it on the day and service of what it withdrew."""
    ledger.apply(said())
    verdict = ledger.apply(withdrawn())
    made = verdict.decisions[0]
    assert (made.facility, made.stream, made.service, made.service_date, made.code) == (
        "north",
        Stream.FACILITY,
        Service.COLLECTION,
        MONDAY,
        "38225",
    )
    assert ledger.place(PATIENT, "A") == MONDAY


def test_a_withdrawal_before_what_it_withdraws_stands_on_no_day(ledger: Ledger) -> None:
    """Out of order: nothing is known of it, and what it withdraws is superseded when it comes."""
    ledger.apply(withdrawn(version=2))
    assert ledger.place(PATIENT, "A") is None
    verdict = ledger.apply(said(version=1))
    assert (ledger.place(PATIENT, "A"), verdict.billing_events) == (None, [])
    assert told(verdict) == [("A", 1, Outcome.SUPERSEDED)]


def test_a_reinstated_procedure_goes_to_its_day(ledger: Ledger) -> None:
    """From no day to the day that a higher statement names."""
    ledger.apply(withdrawn(version=2))
    ledger.apply(said(version=3))
    assert ledger.place(PATIENT, "A") == MONDAY
    assert [charge.service_date for charge in standing(ledger)] == [MONDAY]
    assert ledger.days[PATIENT, None].procedures == {}


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_a_resend_after_a_cancellation_brings_no_charge_back(ledger: Ledger, order: tuple[int, ...]) -> None:
    """Performed, cancelled, performed sent again: nothing stands, in whatever order they arrive."""
    events = (sent("2025-03-10T10"), sent_withdrawn("2025-03-10T11"), sent("2025-03-10T12"))
    for position in order:
        ledger.apply(events[position])
    assert standing(ledger) == []
    outcomes = {event_id: made.outcome for event_id, made in latest(ledger).items()}
    assert outcomes[events[1].event_id] is Outcome.WITHDRAWN
    assert Outcome.REPORTED not in outcomes.values()


def test_an_earlier_resend_uncovers_the_cancellation_that_holds(ledger: Ledger) -> None:
    """The content turns out to be older than its cancellation, which now takes the charge back."""
    performed, cancelled = sent("2025-03-10T12"), sent_withdrawn("2025-03-10T11")
    ledger.apply_all([performed, cancelled])
    assert len(standing(ledger)) == 1
    verdict = ledger.apply(sent("2025-03-10T10"))
    by_event = {made.event_id: made for made in verdict.decisions[1:]}
    assert verdict.decisions[0].outcome is Outcome.REPEATED
    assert verdict.decisions[0].of == performed.event_id
    assert by_event[performed.event_id].outcome is Outcome.SUPERSEDED
    assert by_event[cancelled.event_id].outcome is Outcome.WITHDRAWN
    assert by_event[cancelled.event_id].billing_events == tuple(event.id for event in verdict.billing_events)
    assert standing(ledger) == []


def test_an_earlier_resend_may_bring_a_procedure_back_to_a_third_day(ledger: Ledger) -> None:
    """Of three contents the one of the day that nobody spoke of now holds again, with all that day has."""
    ledger.apply(said("B", service_date=TUESDAY))
    ledger.apply(sent("2025-03-10T11", service_date=TUESDAY))
    ledger.apply(sent("2025-03-10T12"))
    ledger.apply(sent("2025-03-10T10"))
    assert ledger.place(PATIENT, "A") == TUESDAY
    assert [(charge.procedure.procedure_id, charge.service_date) for charge in standing(ledger)] == [
        ("B", TUESDAY)
    ]


def test_a_statement_between_two_tells_the_lower_one_nothing(ledger: Ledger) -> None:
    """It is superseded by the same event as before: no follow-up."""
    ledger.apply_all([sent("2025-03-10T10", account_number="A1"), sent("2025-03-10T12", account_number="A2")])
    verdict = ledger.apply(sent("2025-03-10T11", account_number="A3"))
    assert told(verdict) == [("A", 1, Outcome.SUPERSEDED)]


# A source orders its statements itself.


def test_what_never_counted_is_not_kept_once_a_higher_statement_holds(ledger: Ledger) -> None:
    """In progress, then performed: the state holds one statement."""
    ledger.apply_all([said(status=Status.IN_PROGRESS), said(version=2)])
    [procedure] = ledger.days[PATIENT, MONDAY].procedures.values()
    assert [statement.status for statement in procedure.statements] == [Status.PERFORMED]


def test_what_counted_stays_behind_what_took_its_place(ledger: Ledger) -> None:
    """A person may reject a correction: then what it corrected holds again, in whatever order they came."""
    ledger.apply_all([said(version=version, account_number=f"A{version}") for version in (2, 4, 1, 3)])
    [procedure] = ledger.days[PATIENT, MONDAY].procedures.values()
    assert [statement.account_number for statement in procedure.statements] == ["A4", "A3", "A2", "A1"]


def test_a_higher_version_holds_even_if_it_says_the_same(ledger: Ledger) -> None:
    """What withdraws the lower version comes too late: version 2 confirmed what version 1 said."""
    ledger.apply_all([said(version=1), said(version=2)])
    assert told(ledger.apply(withdrawn(version=1))) == [("A", 1, Outcome.SUPERSEDED)]
    assert len(standing(ledger)) == 1


def test_a_replay_after_the_source_was_declared_otherwise_changes_nothing(ledger: Ledger) -> None:
    """The settings now order by another version; what was decided with the old ones stays."""
    event = sent("2025-03-10T12")
    ledger.apply_all([event, sent_withdrawn("2025-03-10T11")])
    [before] = ledger.days[PATIENT, MONDAY].procedures.values()
    again = msgspec.structs.replace(event, version="1", version_kind=VersionKind.NUMBER)
    assert told(ledger.apply(again)) == [("A", 2, Outcome.REPORTED)]
    [after] = ledger.days[PATIENT, MONDAY].procedures.values()
    assert after.statements == before.statements
    assert len(standing(ledger)) == 1
