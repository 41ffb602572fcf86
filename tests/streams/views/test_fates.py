"""What would come of a command is said in words before it is given; how much, is a matter of who asks."""

from typing import Any

import pytest

from models.billing import Decision, Outcome, ProcedureRef, Reason
from models.entries import Ruling, encode_entry
from models.worklist import Item, Kind
from streams.foresight import HYPOTHETICAL
from streams.views.fates import Fate, fate_of
from streams.views.worklist import Foreseen, Would

EVENT = "lab.procedures:0:7:0"
HELD = Item(id=EVENT, kind=Kind.HELD)
DEAD = Item(id=EVENT, kind=Kind.DEAD_LETTER)
RULING = encode_entry(Ruling(patient="UH|1", event_id=HYPOTHETICAL, item="i", apply=True))


def a_decision(outcome: Outcome, reason: Reason | None = None, **more: Any) -> Decision:
    return Decision(event_id=EVENT, sequence=2, cause=HYPOTHETICAL, outcome=outcome, reason=reason, **more)


def of_command(outcome: Outcome = Outcome.APPLIED, reason: Reason | None = None) -> Decision:
    return Decision(event_id=HYPOTHETICAL, sequence=1, cause=HYPOTHETICAL, outcome=outcome, reason=reason)


def told(would: Would | None, foreseen: dict[bytes, Foreseen | None] | None = None, **how: Any) -> Fate:
    return fate_of(EVENT, EVENT, would, foreseen or {}, **{"whole": True, "unanswered": False, **how})


def test_what_is_missing_still_is_said_with_its_field() -> None:
    """The command would be refused: nothing is to be confirmed."""
    still = a_decision(Outcome.HELD, Reason.NO_MRN, field="patient.mrn", detail="a number")
    would = Would(item=HELD, decision=of_command(Outcome.REFUSED, Reason.STILL_HELD), decisions=[still])
    fate = told(would)
    assert not fate.goes
    assert fate.said[-1] == "patient.mrn: expected a number."


@pytest.mark.parametrize(("unanswered", "said"), [(True, "does not answer"), (False, "Nothing of this name")])
def test_an_item_that_nobody_has_is_told_from_one_that_nobody_answers_for(
    unanswered: bool, said: str
) -> None:
    """During a rebalance it is there all the same."""
    fate = told(None, unanswered=unanswered)
    assert not fate.goes
    assert said in fate.said[0]


@pytest.mark.parametrize(
    ("foreseen", "said"),
    [
        ({RULING: Foreseen([], [])}, "No charge or credit would be written."),
        ({RULING: None}, "the worker of its ledger does not answer"),
        ({RULING: Foreseen([], [], failed=True)}, "The ledger's rule fails on it"),
        ({}, "is shown for one item at a time"),
    ],
)
def test_what_the_ledger_would_write_is_said_or_why_it_is_not(
    foreseen: dict[bytes, Foreseen | None], said: str
) -> None:
    """Never left open."""
    fate = told(Would(item=HELD, decision=of_command(), entries=[RULING]), foreseen)
    assert fate.goes
    assert said in fate.said[-1]


def test_what_would_be_decided_of_others_stands_apart() -> None:
    """By their events; who brought it about is the command, and need not be said."""
    own = a_decision(Outcome.REPORTED, Reason.FIRST_OF_DAY)
    other = Decision(event_id="o:0:1:0", sequence=3, cause=HYPOTHETICAL, outcome=Outcome.ALREADY_REPORTED)
    would = Would(item=HELD, decision=of_command(), entries=[RULING])
    fate = told(would, {RULING: Foreseen([], [own, other])})
    assert fate.then == ["Its charge stands.", "It was the first of its service on that day that came in."]
    assert [*fate.others] == ["o:0:1:0"]
    assert HYPOTHETICAL not in str(fate)


def test_whoever_may_not_see_what_the_source_sent_is_told_whether_it_would_be_read() -> None:
    """And, if it were held then, why; nothing of the procedure."""
    covered = ProcedureRef("lab", "4711")
    held = a_decision(Outcome.HELD, Reason.NO_MRN, covered_by=covered, field="patient.mrn", detail="a number")
    for would in (
        Would(item=DEAD, decision=of_command(), entries=[RULING]),
        Would(item=DEAD, decision=of_command(), decisions=[held]),
    ):
        fate = told(
            would,
            {RULING: Foreseen([], [a_decision(Outcome.ALREADY_REPORTED, covered_by=covered)])},
            whole=False,
        )
        assert fate.goes
        assert "4711" not in str(fate)
        assert (fate.billing, fate.others) == ([], {})
    assert fate.then[-1] == "patient.mrn: expected a number."


def test_what_is_only_closed_charges_nothing() -> None:
    """An alert, or a charge that billing refused."""
    fate = told(Would(item=Item(id=EVENT, kind=Kind.ALERT), decision=of_command()))
    assert fate.said == ["It would be off the list. Nothing would be charged or credited."]
