"""The rule, row by row: what becomes of a procedure event, what is charged, what is taken back."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from models.billing import Decision, Kind, Outcome, ProcedureRef, Reason, Warning  # noqa: A004
from models.codes import Service
from models.patient_day import warn
from models.procedures import Reporting, Status, Stream
from tests.models.ledger import Ledger
from tests.models.said import MONDAY, PATIENT, TUESDAY, kinds, said, standing, told, withdrawn


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_the_first_procedure_of_a_day_is_reported(ledger: Ledger) -> None:
    """None before, it counts and the unit is free: it is charged."""
    event = said()
    verdict = ledger.apply(event)
    [charge] = verdict.billing_events
    assert told(verdict) == [("A", 1, Outcome.REPORTED)]
    assert kinds(verdict) == [(Kind.CHARGE, "A", 1, 1, Reason.FIRST_OF_DAY)]
    [made] = verdict.decisions
    assert (made.charge_id, made.unit, made.reason) == (charge.id, 1, Reason.FIRST_OF_DAY)
    assert made.billing_events == (charge.id,)
    assert (charge.charge_id, charge.event_id, charge.cause) == (charge.id, event.event_id, event.event_id)


def test_a_charge_shows_all_that_the_statement_says(ledger: Ledger) -> None:
    """Code, revenue code, account, performers, times and products go downstream as they were stated."""
    start = datetime.fromisoformat("2025-03-10T09:00:00-04:00")
    event = said(modifiers=("Q0",), performed_start=start, product_ids=("W1",), charge_code="4711")
    [charge] = ledger.apply(event).billing_events
    assert (charge.code, charge.revenue_code, charge.units) == ("38225", "0871", 1)
    assert charge.procedure == ProcedureRef("lab", "A", "north")
    assert charge.service_date == MONDAY
    for field in ("modifiers", "performed_start", "product_ids", "charge_code", "account_number", "facility"):
        assert getattr(charge, field) == getattr(event, field)


def test_a_second_procedure_of_the_day_is_already_reported_and_names_what_fills_the_unit(
    ledger: Ledger,
) -> None:
    """However many collections a day: one charge, and the other knows which."""
    ledger.apply(said("A"))
    verdict = ledger.apply(said("B", survivor=("0",)))
    assert verdict.billing_events == []
    [made] = verdict.decisions
    assert made.outcome is Outcome.ALREADY_REPORTED
    assert made.covered_by == ProcedureRef("lab", "A", "north")
    assert made.charge_id is None


@pytest.mark.parametrize(
    "other",
    [
        {"patient": "UH|0099999"},
        {"stream": Stream.PROFESSIONAL},
        {"service": Service.TRANSPORT},
        {"service_date": TUESDAY},
    ],
)
def test_another_patient_stream_service_or_date_is_another_charge(
    ledger: Ledger, other: dict[str, Any]
) -> None:
    """The four parts of the key, and each alone makes the difference."""
    ledger.apply(said("A"))
    assert [event.kind for event in ledger.apply(said("B", **other)).billing_events] == [Kind.CHARGE]


@pytest.mark.parametrize(
    "other",
    [
        {"facility": "south"},
        {"source": "infusion"},
        {"modifiers": ("59",)},
        {"modifiers": ("76",)},
        {"charge_code": "other"},
        {"product_ids": ("W2",)},
        {"account_number": "A2"},
    ],
)
def test_nothing_else_buys_a_second_unit(ledger: Ledger, other: dict[str, Any]) -> None:
    """Neither another facility, source, charge code, product or account, nor any modifier."""
    ledger.apply(said("A"))
    assert told(ledger.apply(said("B", **other))) == [("B", 1, Outcome.ALREADY_REPORTED)]


def test_what_another_facility_already_reported_is_a_warning(ledger: Ledger) -> None:
    """A person may want to look; the charge is not made."""
    ledger.apply(said("A"))
    [same] = ledger.apply(said("B")).decisions
    [across] = ledger.apply(said("C", facility="south", warnings=(Warning.CODE_MAPPED,))).decisions
    assert same.warnings == ()
    assert across.warnings == (Warning.CODE_MAPPED, Warning.ACROSS_FACILITIES)


def test_the_same_statement_again_is_repeated(ledger: Ledger) -> None:
    """Same version and content in another record: it names the one that holds."""
    first, again = said(), said()
    ledger.apply(first)
    verdict = ledger.apply(again)
    assert verdict.billing_events == []
    [made] = verdict.decisions
    assert (made.event_id, made.outcome, made.of) == (again.event_id, Outcome.REPEATED, first.event_id)


def test_a_lower_version_is_superseded_whenever_it_comes(ledger: Ledger) -> None:
    """Late is not lower, lower is: it names the statement that holds and changes nothing."""
    higher = said(version=2)
    ledger.apply(higher)
    verdict = ledger.apply(said(version=1, account_number="old"))
    assert verdict.billing_events == []
    [made] = verdict.decisions
    assert (made.outcome, made.of) == (Outcome.SUPERSEDED, higher.event_id)


@pytest.mark.parametrize("status", [Status.WITHDRAWN, Status.NOT_PERFORMED])
def test_of_equal_versions_what_takes_the_charge_away_holds(ledger: Ledger, status: Status) -> None:
    """Withdrawn over not performed over performed, in whatever order they come."""
    ledger.apply(said(status=status))
    assert told(ledger.apply(said())) == [("A", 1, Outcome.SUPERSEDED)]


def test_in_progress_is_not_performed_until_it_is_completed(ledger: Ledger) -> None:
    """In progress does not count; completed it is reported, as if nothing had been said before."""
    [waiting] = ledger.apply(said(status=Status.IN_PROGRESS)).decisions
    assert (waiting.outcome, waiting.reason) == (Outcome.NOT_PERFORMED, Reason.IN_PROGRESS)
    verdict = ledger.apply(said(version=2))
    assert told(verdict) == [("A", 1, Outcome.REPORTED), ("A", 2, Outcome.SUPERSEDED)]
    assert kinds(verdict) == [(Kind.CHARGE, "A", 1, 1, Reason.FIRST_OF_DAY)]


def test_a_reinstated_procedure_is_reported_again(ledger: Ledger) -> None:
    """Withdrawn and performed again: charge, credit, charge, numbered on."""
    ledger.apply_all([said(), withdrawn(version=2)])
    verdict = ledger.apply(said(version=3))
    assert kinds(verdict) == [(Kind.CHARGE, "A", 1, 3, Reason.FIRST_OF_DAY)]
    assert told(verdict)[0] == ("A", 1, Outcome.REPORTED)


def test_a_correction_that_downstream_sees_is_credited_and_charged(ledger: Ledger) -> None:
    """The account number changes: never a silent change, but credit and charge, and the credit is first."""
    [old] = ledger.apply(said()).billing_events
    event = said(version=2, account_number="A2")
    verdict = ledger.apply(event)
    assert kinds(verdict) == [
        (Kind.CREDIT, "A", 1, 2, Reason.CONTENT_CORRECTED),
        (Kind.CHARGE, "A", 1, 3, Reason.CONTENT_CORRECTED),
    ]
    credit, charge = verdict.billing_events
    assert (credit.account_number, credit.reverses, credit.charge_id) == ("A1", old.id, old.id)
    assert (charge.account_number, charge.event_id) == ("A2", event.event_id)
    own, previous = verdict.decisions
    assert (own.outcome, own.reason, own.charge_id) == (
        Outcome.CORRECTED,
        Reason.CONTENT_CORRECTED,
        charge.id,
    )
    assert own.billing_events == (credit.id, charge.id)
    assert (previous.outcome, previous.of, previous.sequence) == (Outcome.SUPERSEDED, event.event_id, 2)
    assert previous.cause == event.event_id
    assert previous.billing_events == ()


def test_a_correction_that_downstream_does_not_see_leaves_the_charge(ledger: Ledger) -> None:
    """Nothing of the charge differs: it stands, and the decision names it."""
    [charge] = ledger.apply(said()).billing_events
    verdict = ledger.apply(said(version=2, warnings=("noticed",)))
    assert verdict.billing_events == []
    own = verdict.decisions[0]
    assert (own.outcome, own.charge_id, own.unit) == (Outcome.CORRECTED, charge.id, 1)
    assert standing(ledger) == [charge]


def test_a_correction_of_what_is_covered_changes_no_charge(ledger: Ledger) -> None:
    """It counts and is corrected, and still another procedure fills the unit."""
    ledger.apply_all([said("A"), said("B")])
    verdict = ledger.apply(said("B", version=2, account_number="A2"))
    assert verdict.billing_events == []
    own = verdict.decisions[0]
    assert (own.outcome, own.covered_by) == (Outcome.CORRECTED, ProcedureRef("lab", "A", "north"))
    assert own.charge_id is None


def test_a_correction_of_the_filler_tells_the_covered_ones_nothing(ledger: Ledger) -> None:
    """They name the procedure, which is the same: no follow-up."""
    ledger.apply_all([said("A"), said("B")])
    verdict = ledger.apply(said("A", version=2, account_number="A2"))
    assert {name for name, *_ in told(verdict)} == {"A"}


@pytest.mark.parametrize(
    "other",
    [{"service_date": TUESDAY}, {"service": Service.TRANSPORT}, {"stream": Stream.PROFESSIONAL}],
)
def test_a_correction_to_another_key_moves_the_charge(ledger: Ledger, other: dict[str, Any]) -> None:
    """To another date, service or stream: credit there, charge here, and the next one there is promoted."""
    ledger.apply_all([said("A"), said("B")])
    verdict = ledger.apply(said("A", version=2, **other))
    assert kinds(verdict) == [
        (Kind.CREDIT, "A", 1, 2, Reason.KEY_CORRECTED),
        (Kind.CHARGE, "B", 1, 3, Reason.PROMOTED),
        (Kind.CHARGE, "A", 1, 1, Reason.KEY_CORRECTED),
    ]
    assert told(verdict) == [
        ("A", 1, Outcome.CORRECTED),
        ("A", 2, Outcome.SUPERSEDED),
        ("B", 2, Outcome.REPORTED),
    ]
    assert verdict.decisions[0].reason is Reason.KEY_CORRECTED


def test_a_correction_to_a_day_that_is_taken_is_covered_there(ledger: Ledger) -> None:
    """The unit of that day is filled: only the credit is left."""
    ledger.apply_all([said("A"), said("B", service_date=TUESDAY)])
    verdict = ledger.apply(said("A", version=2, service_date=TUESDAY))
    assert kinds(verdict) == [(Kind.CREDIT, "A", 1, 2, Reason.KEY_CORRECTED)]
    own = verdict.decisions[0]
    assert (own.outcome, own.covered_by) == (Outcome.CORRECTED, ProcedureRef("lab", "B", "north"))
    assert own.billing_events == (verdict.billing_events[0].id,)


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        ({"status": Status.WITHDRAWN}, Outcome.WITHDRAWN),
        ({"status": Status.NOT_PERFORMED}, Outcome.NOT_PERFORMED),
        ({"status": Status.IN_PROGRESS}, Outcome.NOT_PERFORMED),
        ({"reporting": Reporting.NOT_OURS}, Outcome.NOT_OURS),
        ({"reporting": Reporting.IN_PRODUCT}, Outcome.IN_PRODUCT),
        ({"reporting": Reporting.INPATIENT}, Outcome.INPATIENT),
        ({"reporting": Reporting.IN_PRODUCT, "status": Status.WITHDRAWN}, Outcome.WITHDRAWN),
    ],
)
def test_what_no_longer_counts_is_credited(ledger: Ledger, now: dict[str, Any], outcome: Outcome) -> None:
    """Withdrawn, not performed, not ours, in the product, inpatient; the status says more than the policy."""
    [charge] = ledger.apply(said()).billing_events
    verdict = ledger.apply(said(version=2, **now))
    assert told(verdict) == [("A", 1, outcome), ("A", 2, Outcome.SUPERSEDED)]
    [credit] = verdict.billing_events
    assert (credit.reverses, credit.reason) == (charge.id, Reason.FILLER_WITHDRAWN)
    assert verdict.decisions[0].billing_events == (credit.id,)
    assert standing(ledger) == []


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        ({"status": Status.WITHDRAWN}, Outcome.WITHDRAWN),
        ({"status": Status.NOT_PERFORMED}, Outcome.NOT_PERFORMED),
        ({"reporting": Reporting.NOT_OURS}, Outcome.NOT_OURS),
        ({"reporting": Reporting.IN_PRODUCT}, Outcome.IN_PRODUCT),
        ({"reporting": Reporting.INPATIENT}, Outcome.INPATIENT),
    ],
)
def test_what_never_counted_has_the_same_outcome(
    ledger: Ledger, now: dict[str, Any], outcome: Outcome
) -> None:
    """None before: the outcome is told and nothing is charged."""
    verdict = ledger.apply(said(**now))
    assert told(verdict) == [("A", 1, outcome)]
    assert verdict.billing_events == []


def test_another_service_than_the_four_says_so(ledger: Ledger) -> None:
    """Not ours for want of a service is told apart from not ours by the facility's settings."""
    ledger.apply(said("A", version=1))
    foreign, _ = ledger.apply(said("A", version=2, reporting=Reporting.NOT_OURS, service=None)).decisions
    [unreported] = ledger.apply(said("B", reporting=Reporting.NOT_OURS)).decisions
    assert (foreign.reason, foreign.service, foreign.code) == (Reason.NOT_A_CART_SERVICE, None, None)
    assert unreported.reason is None


def test_a_charge_has_the_same_id_however_often_it_is_computed() -> None:
    """Ids come from patient, stream, service, date, unit and sequence, so downstream can drop doubles."""
    event = said()
    one, two = Ledger().apply(event), Ledger().apply(event)
    assert [event.id for event in one.billing_events] == [event.id for event in two.billing_events]
    [charge] = one.billing_events
    assert len(charge.id) == 32


@pytest.mark.parametrize(
    "other",
    [
        {"patient": "UH|0099999"},
        {"stream": Stream.PROFESSIONAL},
        {"service": Service.TRANSPORT},
        {"service_date": TUESDAY},
    ],
)
def test_charges_of_different_keys_have_different_ids(other: dict[str, Any]) -> None:
    """No part of the key is left out of the id."""
    [one], [two] = (Ledger().apply(event).billing_events for event in (said(), said(**other)))
    assert one.id != two.id


def test_a_credit_copies_its_charge(ledger: Ledger) -> None:
    """It differs in kind, id, sequence, reason and cause, and names the charge; in nothing else."""
    [charge] = ledger.apply(
        said(performed_start=datetime.fromisoformat("2025-03-10T09:00:00-04:00"))
    ).billing_events
    event = withdrawn()
    [credit] = ledger.apply(event).billing_events
    assert credit == msgspec.structs.replace(
        charge,
        kind=Kind.CREDIT,
        id=credit.id,
        reverses=charge.id,
        sequence=2,
        reason=Reason.FILLER_WITHDRAWN,
        cause=event.event_id,
    )
    assert credit.id != charge.id


def test_a_replayed_event_is_told_what_is_true_of_it_now(ledger: Ledger) -> None:
    """The very same record again, after offsets were set back: nothing is charged, its numbers go on."""
    first, correction = said(), said(version=2, account_number="A2")
    ledger.apply_all([first, correction])
    verdict = ledger.apply(correction)
    assert verdict.billing_events == []
    assert told(verdict) == [("A", 2, Outcome.REPORTED)]
    assert [decision.repeated for decision in verdict.decisions] == [True]
    assert verdict.decisions[0].charge_id == standing(ledger)[0].id
    assert told(ledger.apply(first)) == [("A", 3, Outcome.SUPERSEDED)]


def test_a_charge_without_what_it_needs_is_refused_by_name(ledger: Ledger) -> None:
    """Intake never lets it through; should it, the record is refused and the error names the fields."""
    with pytest.raises(ValueError, match="without code, revenue_code"):
        ledger.apply(said(code=None, revenue_code=None))


def refused(**more: Any) -> Decision:
    known = {"source": "lab", "procedure_id": "A", "patient": PATIENT, **more}
    return Decision(event_id="e", sequence=1, cause="e", outcome=Outcome.HELD, **known)


def test_a_held_event_warns_of_the_standing_charge_of_its_procedure(ledger: Ledger) -> None:
    """A correction that nobody could apply leaves a charge standing that may be wrong."""
    [charge] = ledger.apply(said()).billing_events
    warned = warn([ledger.days[PATIENT, MONDAY]], refused(warnings=("seen",)))
    assert warned.warnings == ("seen", Warning.STANDING_CHARGE)
    assert warned.charge_id == charge.id


def test_a_held_event_without_a_standing_charge_does_not_warn(ledger: Ledger) -> None:
    """Covered, withdrawn, another procedure, or unknown whose: nothing to look at."""
    ledger.apply_all([said("A"), said("B"), said("W", service_date=TUESDAY), withdrawn("W")])
    days = [ledger.days[PATIENT, day] for day in (MONDAY, TUESDAY)]
    for decision in (
        refused(procedure_id="B"),
        refused(procedure_id="W"),
        refused(source="infusion"),
        refused(patient=None),
    ):
        assert warn(days, decision) is decision
