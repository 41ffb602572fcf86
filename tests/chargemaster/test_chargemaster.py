"""Published chargemaster lines through intake: what hospitals really print is told right."""

from collections import Counter

import pytest

from models.billing import Decision, Outcome, Reason
from models.facilities import Facilities
from models.facilities_file import parse
from models.messages import ProcedureMessage
from models.procedures import ProcedureEvent, Reporting, Stream
from models.resolve import resolve
from streams.intake.json_procedures import read
from tests.chargemaster.expected import expectation
from tests.chargemaster.lines import FACILITIES, Line, chargemaster_events, expected, lines, message

RECEIVED = 1_785_800_000_000
"""3 August 2026."""


@pytest.fixture(scope="module")
def facilities() -> Facilities:
    return parse(FACILITIES.read_text(encoding="utf-8"))


def outcome(said: ProcedureEvent | Decision) -> dict[str, str]:
    """What becomes of a line when nothing else was ever said of its patient."""
    if isinstance(said, Decision):
        return {"outcome": str(said.outcome), "reason": str(said.reason)}
    if said.reporting is Reporting.NOT_OURS:
        return {"outcome": "not_ours"}
    assert said.counts
    return {
        "outcome": "reported",
        "service": str(said.service),
        "code": str(said.code),
        "revenue_code": str(said.revenue_code),
    }


def resolved(line: Line, facilities: Facilities, *, with_cpt: bool) -> ProcedureEvent | Decision:
    said = ProcedureMessage.model_validate(message(line, with_cpt=with_cpt), strict=False)
    return resolve(said, facilities, event_id=f"lab.procedures:0:{line.row}:0", received=RECEIVED)


def test_every_line_becomes_what_its_printed_code_says(facilities: Facilities) -> None:
    """With the CPT code left out of every second message, charge code and text tell the same."""
    found = {}
    for sent in chargemaster_events():
        [said] = read(sent.value)
        event = resolve(said, facilities, event_id=f"{sent.topic}:0:{sent.row}:0", received=RECEIVED)
        found[sent.row] = outcome(event)
    wanted = expected()
    assert len(found) == len(wanted) == 270
    wrong = {
        row["row"]: found[int(row["row"])]
        for row in wanted
        if {"reason": "", "service": "", "code": "", "revenue_code": ""} | found[int(row["row"])]
        != {name: row[name] for name in ("outcome", "reason", "service", "code", "revenue_code")}
    }
    assert not wrong


def test_the_expectations_are_those_of_the_printed_code() -> None:
    """The committed table is what the rule on the CPT column gives, and nothing else."""
    written = [{name: value for name, value in row.items() if value} for row in expected()]
    assert written == [
        {name: value for name, value in expectation(line).items() if value} for line in lines()
    ]


def test_without_any_cpt_code_one_line_needs_a_person_and_none_is_told_wrong(facilities: Facilities) -> None:
    """Charge codes and texts alone are told right, or held."""
    outcomes: Counter[str] = Counter()
    for line in lines():
        said = resolved(line, facilities, with_cpt=False)
        if isinstance(said, Decision):
            assert (said.outcome, said.reason) == (Outcome.HELD, Reason.UNMAPPED_CODE)
            outcomes["held"] += 1
            continue
        told = outcome(said)
        outcomes[told["outcome"]] += 1
        assert told["outcome"] == expectation(line)["outcome"], line.row
        assert told.get("service", "") == expectation(line).get("service", ""), line.row
    assert outcomes == {"reported": 152, "not_ours": 117, "held": 1}


def test_no_charge_code_contradicts_a_printed_code(facilities: Facilities) -> None:
    """With every CPT code stated nothing is held."""
    for line in lines():
        assert isinstance(resolved(line, facilities, with_cpt=True), ProcedureEvent), line.row


def test_physicians_lines_go_to_the_professional_stream(facilities: Facilities) -> None:
    """Lines that hospitals mark PR are told apart from their own for the same service."""
    for line in lines():
        said = resolved(line, facilities, with_cpt=True)
        assert isinstance(said, ProcedureEvent)
        if said.reporting is not Reporting.NOT_OURS:
            professional = line.description.upper().startswith("PR ")
            assert said.stream is (Stream.PROFESSIONAL if professional else Stream.FACILITY), line.row
