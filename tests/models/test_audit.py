"""The audit of one patient finds each way of being wrong."""

import msgspec
import pytest

from models.audit import Account, Figure, Finding, audit
from models.billing import Decision, Outcome, ProcedureRef
from models.patient_day import PatientDay
from models.units import Unit
from tests.models.accounts import CHARGE, CREDIT, DECISIONS, FIRST, GONE, NEXT, SECOND


@pytest.fixture
def account() -> Account:
    """Two collections of a day, and the one that was charged withdrawn: the other is charged instead."""
    return Account([FIRST, SECOND, GONE], [*DECISIONS], [CHARGE, CREDIT, NEXT])


def figures(account: Account) -> set[Figure]:
    return {finding.figure for finding in audit(account)}


def whats(account: Account) -> set[str]:
    return {finding.what for finding in audit(account)}


def replaced(decision: Decision, **changes: object) -> Decision:
    return msgspec.structs.replace(decision, **changes)


def test_nothing_is_found_where_nothing_is_wrong(account: Account) -> None:
    """The account of a promotion passes."""
    assert [*audit(account)] == []


def test_a_charge_that_was_not_written_is_missing(account: Account) -> None:
    """A procedure counts, no charge stands."""
    account.billing_events.pop()
    assert Figure.MISSING in figures(account)


def test_a_charge_that_was_not_credited_is_doubled(account: Account) -> None:
    """Two charges of one unit without the credit between."""
    account.billing_events.remove(CREDIT)
    assert Figure.DOUBLED in figures(account)
    assert "charges a unit whose charge was not credited" in whats(account)


def test_a_second_unit_is_doubled(account: Account) -> None:
    """Both procedures count and both are charged: one too many."""
    account.billing_events.append(msgspec.structs.replace(NEXT, id="d1", charge_id="d1", unit=2, sequence=1))
    assert Figure.DOUBLED in figures(account)


def test_a_billing_event_written_twice_is_doubled(account: Account) -> None:
    """The same id twice, though nothing else differs."""
    account.billing_events.append(NEXT)
    assert Finding(Figure.DOUBLED, NEXT.id, "was written 2 times") in [*audit(account)]


def test_two_different_decisions_of_one_number_are_doubled(account: Account) -> None:
    """The same once more is a replay, another one is two workers at once."""
    account.decisions.append(DECISIONS[0])
    assert figures(account) == set()
    account.decisions.append(replaced(DECISIONS[-1], outcome=Outcome.NOT_OURS))
    assert Figure.DOUBLED in figures(account)


def test_a_charge_of_what_does_not_count_is_unexplained(account: Account) -> None:
    """The unit is right, but the procedure that fills it was withdrawn."""
    ref = ProcedureRef(FIRST.source, FIRST.procedure_id, FIRST.facility)
    account.billing_events[-1] = msgspec.structs.replace(NEXT, procedure=ref)
    assert Figure.UNEXPLAINED in figures(account)


def test_a_charge_that_shows_something_else_is_unexplained(account: Account) -> None:
    """Every field that a charge takes from its statement is compared, and the finding names it."""
    account.billing_events[-1] = msgspec.structs.replace(NEXT, account_number="A9")
    assert [finding.what for finding in audit(account)] == ["does not show account_number as stated"]


def test_an_event_without_a_decision_is_unexplained(account: Account) -> None:
    """Every statement has one."""
    account.decisions = [decision for decision in DECISIONS if decision.event_id != SECOND.event_id]
    assert Finding(Figure.UNEXPLAINED, SECOND.event_id, "has no decision") in [*audit(account)]


def test_a_decision_without_a_statement_is_unexplained(account: Account) -> None:
    """What intake decides by itself needs none: held, dead-lettered, not ours."""
    account.decisions.append(Decision(event_id="e", sequence=1, cause="e", outcome=Outcome.HELD))
    assert figures(account) == set()
    account.decisions.append(Decision(event_id="f", sequence=1, cause="f", outcome=Outcome.WITHDRAWN))
    assert figures(account) == {Figure.UNEXPLAINED}


def test_a_billing_event_that_no_decision_tells_of_is_unexplained(account: Account) -> None:
    """And so is a decision that tells of a billing event nobody wrote."""
    account.decisions[2] = replaced(DECISIONS[2], billing_events=())
    assert figures(account) == {Figure.UNEXPLAINED}
    account.decisions[2] = replaced(DECISIONS[2], billing_events=("c2", "c9"))
    assert figures(account) == {Figure.UNEXPLAINED}


@pytest.mark.parametrize(
    ("index", "changes", "what"),
    [
        (4, {"outcome": Outcome.ALREADY_REPORTED}, "its charge stands, and is another or not named"),
        (4, {"charge_id": "c1"}, "its charge stands, and is another or not named"),
        (4, {"unit": 2}, "its charge stands, and is another or not named"),
        (4, {"outcome": Outcome.REPEATED, "of": FIRST.event_id}, "names no event of its procedure"),
        (3, {"outcome": Outcome.REPORTED, "charge_id": "c3", "unit": 1}, "another statement holds"),
        (3, {"outcome": Outcome.REPEATED}, "the event it names says something else"),
        (3, {"of": FIRST.event_id}, "what it names is not higher"),
        (3, {"of": SECOND.event_id}, "names no event of its procedure"),
        (3, {"of": None}, "names no event of its procedure"),
        (2, {"outcome": Outcome.NOT_PERFORMED}, "it is withdrawn"),
        (2, {"charge_id": "c3"}, "it is withdrawn"),
    ],
)
def test_a_latest_decision_that_is_not_true_is_unexplained(
    account: Account, index: int, changes: dict[str, object], what: str
) -> None:
    """It names a charge that is not its own, an event that does not hold, or the wrong outcome."""
    account.decisions[index] = replaced(DECISIONS[index], **changes)
    assert figures(account) == {Figure.UNEXPLAINED}
    assert whats(account) == {f"{account.decisions[index].outcome}, but {what}"}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"covered_by": None}, "already_reported, but what it names does not fill a unit"),
        (
            {"covered_by": ProcedureRef("lab", "P9")},
            "already_reported, but what it names does not fill a unit",
        ),
        ({"charge_id": "c1"}, "already_reported, but no charge of it stands, though it counts"),
        ({"outcome": Outcome.REPORTED}, "reported, but no charge of it stands, though it counts"),
    ],
)
def test_what_is_covered_names_what_covers_it(changes: dict[str, object], what: str) -> None:
    """And claims no charge of its own."""
    account = Account([FIRST, SECOND], DECISIONS[:2], [CHARGE])
    assert [*audit(account)] == []
    account.decisions[1] = replaced(DECISIONS[1], **changes)
    assert whats(account) == {what}


def test_what_intake_decided_stays_decided() -> None:
    """The ledger adds what stands meanwhile to a held event, and changes its outcome in nothing."""
    held = Decision(event_id="e", sequence=1, cause="e", outcome=Outcome.HELD)
    assert [*audit(Account([held], [replaced(held, warnings=("standing_charge",))]))] == []
    assert whats(Account([held], [replaced(held, outcome=Outcome.WITHDRAWN)])) == {
        "withdrawn, but intake decided held"
    }


def test_the_state_holds_every_charge_that_stands(account: Account) -> None:
    """One that is only in the state is missing downstream; one that differs there is unexplained."""
    day = PatientDay(FIRST.patient, FIRST.service_date, units={"facility|collection": [Unit(3, NEXT)]})
    account.days = [day]
    assert [*audit(account)] == []
    other = msgspec.structs.replace(NEXT, account_number="A9")
    day.units["facility|collection"] = [Unit(3, other)]
    assert figures(account) == {Figure.UNEXPLAINED}
    day.units["facility|collection"] = [Unit(3, NEXT), Unit(1, msgspec.structs.replace(NEXT, id="d1"))]
    assert [*audit(account)] == [
        Finding(Figure.MISSING, "d1", "stands in the ledger's state, but not in its billing events")
    ]


def test_numbers_that_are_left_out_are_out_of_sequence(account: Account) -> None:
    """Of billing events of a unit, and of decisions about an event."""
    account.billing_events[-1] = msgspec.structs.replace(NEXT, sequence=5)
    assert Figure.OUT_OF_SEQUENCE in figures(account)
    account.billing_events[-1] = NEXT
    account.decisions[-1] = replaced(DECISIONS[-1], sequence=3)
    assert figures(account) == {Figure.OUT_OF_SEQUENCE}


def test_a_decision_that_says_repeated_wrongly_is_unexplained(account: Account) -> None:
    """Only what is told of an event because it was delivered again says so, and that always."""
    account.decisions[0] = replaced(DECISIONS[0], repeated=True)
    assert figures(account) == {Figure.UNEXPLAINED}
    account.decisions[0] = DECISIONS[0]
    account.decisions.append(replaced(DECISIONS[2], sequence=2, billing_events=(), repeated=True))
    assert [*audit(account)] == []
    account.decisions[-1] = replaced(account.decisions[-1], repeated=False)
    assert figures(account) == {Figure.UNEXPLAINED}


def test_a_credit_that_is_no_copy_is_out_of_sequence(account: Account) -> None:
    """A credit differs from its charge in kind, id, number and reason, in nothing else."""
    account.billing_events[1] = msgspec.structs.replace(CREDIT, account_number="A9")
    assert figures(account) == {Figure.OUT_OF_SEQUENCE}


def test_a_second_unit_without_the_first_is_out_of_sequence(account: Account) -> None:
    """Units that stand are numbered from one."""
    account.billing_events = [msgspec.structs.replace(NEXT, unit=2, sequence=1)]
    assert Figure.OUT_OF_SEQUENCE in figures(account)
