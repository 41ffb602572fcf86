"""`perdiem why` tells what was said then apart from what is true now."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from models.acks import Ack
from models.billing import Acknowledged, BillingEvent, Decision, Kind, Outcome, ProcedureRef, Reason
from models.codes import Service
from models.commands import Reject, Release
from models.procedures import ProcedureEvent, Status, Stream, VersionKind
from streams.cli import app
from streams.cli.why import show, show_charge, standing
from streams.why import Told

EVENT, LATER = "lab.procedures:0:2:0", "lab.procedures:0:10:0"
STATEMENT = ProcedureEvent(
    event_id=EVENT,
    received=0,
    source="lab",
    procedure_id="P7",
    patient="UH|0001",
    stated_patient="UH|0001",
    version_kind=VersionKind.NUMBER,
    version="1",
    status=Status.PERFORMED,
    digest="",
    settings="",
    performed_start=datetime(2025, 3, 9, 7, 30, tzinfo=UTC),
)
CHARGE = BillingEvent(
    kind=Kind.CHARGE,
    id="c",
    charge_id="c",
    unit=1,
    sequence=1,
    patient="UH|0001",
    facility="lakeside",
    stream=Stream.FACILITY,
    service=Service.COLLECTION,
    service_date=date(2025, 3, 9),
    code="38225",
    revenue_code="0871",
    procedure=ProcedureRef("lab", "P7"),
    event_id=EVENT,
    cause=EVENT,
    reason=Reason.FIRST_OF_DAY,
)
REPORTED = Decision(
    event_id=EVENT,
    sequence=1,
    cause=EVENT,
    outcome=Outcome.REPORTED,
    reason=Reason.FIRST_OF_DAY,
    charge_id="c",
    billing_events=("c",),
    source="lab",
    procedure_id="P7",
    patient="UH|0001",
)
SUPERSEDED = Decision(
    event_id=EVENT,
    sequence=2,
    cause=LATER,
    outcome=Outcome.SUPERSEDED,
    of=LATER,
    source="lab",
    procedure_id="P7",
    patient="UH|0001",
)


def test_only_the_last_decision_is_told_as_true_now(capsys: pytest.CaptureFixture[str]) -> None:
    """The charge that stood once is not said to stand; procedure and start are named, the patient is not."""
    show([Told([REPORTED, SUPERSEDED], {"c": CHARGE}, STATEMENT)])
    told = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert told[1] == "procedure P7 of lab, performed 2025-03-09 07:30+00:00"
    assert told[2:4] == ["1. then: reported", "Its charge stood."]
    assert told[-3:] == [
        "2. now: superseded",
        "A later statement about the same procedure holds instead.",
        f"See {LATER}.",
    ]
    assert not [line for line in told if "0001" in line]


def test_what_stands_of_a_patient_is_one_line() -> None:
    """Charges of the latest decisions alone, each once."""
    assert standing([Told([REPORTED], {"c": CHARGE}, None)] * 2) == (
        "1 standing charge: 38225 on 2025-03-09 (facility)"
    )
    assert standing([Told([REPORTED, SUPERSEDED], {"c": CHARGE}, None)]) == "0 standing charges."


def test_who_brought_a_decision_about_is_told_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Of an event that a person released, say: no second question is needed."""
    by = "perdiem.commands:0:1:0"
    command = Release(
        id="c", user="ada", time=datetime(2025, 3, 11, 8, tzinfo=UTC), reason="seen", item=EVENT
    )
    show([Told([replace(REPORTED, cause=by)], {"c": CHARGE}, None, {by: command})])
    told = capsys.readouterr().out
    assert f"Brought about by {by}, release by ada, 2025-03-11 08:00 UTC: seen." in told


def test_an_acknowledgement_is_told_with_what_billing_said(capsys: pytest.CaptureFixture[str]) -> None:
    """And why, where billing refused the charge."""
    event = "billing.acks:0:1:0"
    applied = Decision(event_id=event, sequence=1, cause=event, outcome=Outcome.APPLIED, patient="UH|0001")
    ack = Ack(charge_id="c", patient="UH|0001", status=Acknowledged.REFUSED, reason="no coverage")
    show([Told([applied], {}, None, {event: ack})])
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == f"{event}: acknowledgement by billing: refused: no coverage"


def test_a_charge_is_told_with_what_took_it_back(capsys: pytest.CaptureFixture[str]) -> None:
    """By the id that reconcile and tail print; without its patient."""
    show_charge([CHARGE])
    told = capsys.readouterr().out
    assert told.startswith("c: charge 38225 collection of cells on 2025-03-09")
    assert f"as {EVENT} states it" in told
    assert "It stands." in told
    credit = replace(
        CHARGE, id="d", kind=Kind.CREDIT, reverses="c", cause=LATER, reason=Reason.FILLER_WITHDRAWN
    )
    show_charge([CHARGE, credit])
    told += (later := capsys.readouterr().out)
    assert f"Taken back: credit d, because of {LATER}." in later
    assert "It no longer stands." in later
    assert "0001" not in told


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((), "an event id, --patient: expected one of them"),
        ((EVENT, "--patient", "UH|1"), "an event id, --patient: expected one of them"),
        ((EVENT, "--date", "2025-03-09"), "--date: expected only with --patient"),
    ],
)
def test_options_that_do_not_go_together_are_refused(asked: tuple[str, ...], said: str) -> None:
    """Nothing that was typed is left out of account silently."""
    assert str(CliRunner().invoke(app, ["why", *asked]).exception) == said


def test_a_command_is_told_with_who_why_and_what_it_brought_about(capsys: pytest.CaptureFixture[str]) -> None:
    """The events by id, the latest things decided of them, and no patient."""
    event = "perdiem.commands:0:1:0"
    applied = Decision(event_id=event, sequence=1, cause=event, outcome=Outcome.APPLIED)
    command = Reject(id="c", user="ada", time=datetime(2025, 3, 11, 8, tzinfo=UTC), reason="seen", item=EVENT)
    rejected = Decision(event_id=EVENT, sequence=2, cause=event, outcome=Outcome.REJECTED, patient="UH|0001")
    show([Told([applied], {}, None, {event: command}, (rejected,))])
    assert capsys.readouterr().out.splitlines() == [
        f"{event}: reject by ada, 2025-03-11 08:00 UTC: seen",
        "  1. now: applied",
        "     It was carried out.",
        f"  {EVENT}, 2. rejected: a procedure of which little is known",
    ]
