"""Every decision is told in sentences, and none of them names a patient."""

import pytest

from models import explain
from models.billing import Decision, Outcome, ProcedureRef, Reason
from models.billing import Warning as Noticed
from models.codes import Service
from models.worklist import Item, Kind


def decided(outcome: Outcome, reason: Reason | None = None, cause: str = "e", **more: object) -> Decision:
    made = {"event_id": "e", "sequence": 1, "patient": "UH|0001"} | more
    return Decision(outcome=outcome, reason=reason, cause=cause, **made)  # type: ignore[arg-type]


def test_every_outcome_reason_warning_and_service_has_its_words() -> None:
    """A new one without a sentence is found here and not by a reader."""
    assert set(explain.OUTCOMES) == set(Outcome)
    assert set(explain.REASONS) == set(Reason)
    assert set(explain.WARNINGS) == set(Noticed)
    assert set(explain.SERVICES) == set(Service)


@pytest.mark.parametrize("outcome", Outcome)
def test_no_sentence_names_the_patient(outcome: Outcome) -> None:
    """Sentences may be copied into a ticket."""
    made = decided(outcome, Reason.PROMOTED)
    assert "0001" not in " ".join([*explain.explain(made), explain.subject(made)])


def test_what_is_not_charged_names_what_is() -> None:
    """An event that another one covers says which procedure fills the unit."""
    told = explain.explain(decided(Outcome.ALREADY_REPORTED, covered_by=ProcedureRef("lab", "P7")))
    assert told[1] == "What is charged is procedure P7 of lab."


def test_what_is_held_names_the_field() -> None:
    """And what was expected there, never what was sent."""
    made = decided(Outcome.HELD, Reason.UNKNOWN_AUTHORITY, field="patient", detail="an authority")
    assert explain.explain(made)[-1] == "patient: expected an authority."


def test_a_follow_up_names_what_brought_it_about() -> None:
    """And a warning stands at the end."""
    made = decided(Outcome.REPORTED, Reason.PROMOTED, cause="f", warnings=("late",))
    assert explain.explain(made)[-2:] == ["Brought about by f.", "Warning: It was received late."]


def test_what_is_no_longer_true_is_not_told_in_the_present() -> None:
    """An earlier decision never says that a charge stands."""
    made = decided(Outcome.REPORTED, Reason.FIRST_OF_DAY)
    assert explain.explain(made)[0] == "Its charge stands."
    assert explain.explain(made, past=True)[0] == "Its charge stood."
    covered = decided(Outcome.ALREADY_REPORTED, covered_by=ProcedureRef("lab", "P7"))
    assert explain.explain(covered, past=True)[1] == "What was charged is procedure P7 of lab."


def test_an_event_is_named_once() -> None:
    """What holds instead and what brought it about are often the same event."""
    assert explain.explain(decided(Outcome.SUPERSEDED, cause="f", of="f"))[1:] == ["See f."]


def test_a_merge_that_was_undone_says_so_and_by_which_command() -> None:
    """It was carried out for a while, or the undoing came first; it is never said that it was not."""
    assert explain.explain(decided(Outcome.APPLIED), past=True) == ["It was carried out."]
    undone = "It has no effect: a person undid it."
    assert explain.explain(decided(Outcome.UNDONE, cause="u")) == [undone, "Brought about by u."]
    assert explain.explain(decided(Outcome.UNDONE, of="u")) == [undone, "See u."]
    assert explain.subject(decided(Outcome.UNDONE)) == "a command or an acknowledgement"


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        (Reason.ALREADY_UNDONE, "The merge was undone before."),
        (Reason.NEVER_MERGED, "The merge was refused: there is nothing to undo."),
        (Reason.ALREADY_TAKEN_BACK, "The unit was taken back before."),
        (Reason.ALREADY_DONE, "Another command dealt with what it names before."),
    ],
)
def test_what_is_refused_since_it_was_done_before_says_what_and_by_which_command(
    reason: Reason, what: str
) -> None:
    """An undoing speaks of its merge, a taking back of its unit."""
    refused = decided(Outcome.REFUSED, reason, of="first")
    assert explain.explain(refused) == ["It has no effect.", what, "See first."]


def test_what_was_charged_first_is_what_came_in_first() -> None:
    """It need not have been performed first."""
    [_, why] = explain.explain(decided(Outcome.REPORTED, Reason.FIRST_OF_DAY))
    assert why == "It was the first of its service on that day that came in."


def test_a_command_is_no_procedure() -> None:
    """What is decided of it has neither service nor date."""
    assert explain.subject(decided(Outcome.APPLIED)) == "a command or an acknowledgement"
    assert explain.subject(decided(Outcome.HELD)) == "a procedure of which little is known"


@pytest.mark.parametrize("kind", Kind)
def test_of_every_item_is_said_what_is_to_be_done(kind: Kind) -> None:
    """What is missing, else why it waits, else that a person must look."""
    missing = Item(id="i", kind=kind, field="code", detail="a code", reason=Reason.UNMAPPED_CODE)
    known = Item(id="i", kind=kind, reason=Reason.RULE_FAILED)
    if kind in explain.WAYS:
        assert explain.releases(missing) == explain.releases(known) == explain.WAYS[kind]
        return
    assert explain.releases(missing) == "code: expected a code"
    assert explain.releases(known) == explain.REASONS[Reason.RULE_FAILED]
    assert explain.releases(Item(id="i", kind=kind, detail="two patients")) == "two patients"
    assert explain.releases(Item(id="i", kind=kind)) == "A person must look at it."
