"""Where commands go, and which of them cannot be used: the field is named, and nothing that was sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.billing import Acknowledged, Outcome
from models.entries import Acknowledgement, Expiry, Opening, Override
from models.facilities import Facilities
from models.facilities_file import parse
from models.links import decode_link
from models.messages import Unreadable
from models.procedures import ProcedureEvent
from models.resolve import dead_letter
from models.routing import LINKS, Routed, To
from streams.intake import acks, commands

EVENT = "perdiem.commands:0:1:0"
MRN = "4711"
SIGNED = {"id": "c1", "user": "ada", "time": "2025-03-11T08:00:00Z", "reason": "seen"}
UNIT = {
    "patient": f"LAKE|00{MRN}",
    "stream": "facility",
    "service": "collection",
    "service_date": "2025-03-10",
}
STATEMENT = {
    "event_id": "lab.procedures:0:7:0",
    "received": 17,
    "source": "lab",
    "procedure_id": "P",
    "patient": "LAKE|1",
    "stated_patient": "LAKE|1",
    "version_kind": "number",
    "version": "1",
    "status": "performed",
    "digest": "",
    "settings": "",
    "performed_start": "2025-03-10T09:00:00-05:00",
}


@pytest.fixture(scope="module")
def facilities() -> Facilities:
    return parse((Path(__file__).parents[2] / "examples" / "facilities.toml").read_text())


def given(name: str, **more: Any) -> bytes:
    return json.dumps({"command": name, **SIGNED, **more}).encode()


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("release", To.HELD),
        ("reject", To.HELD),
        ("redrive", To.DEAD_LETTERS),
        ("discard", To.DEAD_LETTERS),
    ],
)
def test_a_command_on_an_item_goes_to_it_as_it_was_received(
    facilities: Facilities, name: str, to: To
) -> None:
    """Byte for byte, keyed by the item."""
    value = b" " + given(name, item="lab.procedures:0:7:0")
    routed = commands.take_in(value, facilities, event_id=EVENT)
    assert routed == Routed(to, b"lab.procedures:0:7:0", value)


def test_what_is_said_of_units_is_an_entry_of_the_patient(facilities: Facilities) -> None:
    """In the patient's one spelling; what is taken back bears the name of what gave it."""
    allowed = commands.take_in(given("allow_unit", **UNIT), facilities, event_id=EVENT)
    back = commands.take_in(given("take_back_unit", allowed_by="c0", **UNIT), facilities, event_id=EVENT)
    opening = commands.take_in(given("opening_balance", **UNIT), facilities, event_id=EVENT)
    for entry, kind, name, stands in (
        (allowed, Override, "c1", True),
        (back, Override, "c0", False),
        (opening, Opening, "c1", True),
    ):
        assert isinstance(entry, Override | Opening)
        assert type(entry) is kind
        assert (entry.patient, entry.event_id, entry.command) == (f"LAKE|{MRN}", EVENT, "c1")
        assert (entry.name, entry.stands, entry.service_date.isoformat()) == (name, stands, "2025-03-10")


def test_merges_go_to_the_links_with_both_patients_in_one_spelling(facilities: Facilities) -> None:
    """What is sent on names the record that it came of."""
    patients = {"losing": f"LAKE|0{MRN}", "surviving": " LAKE|01"}
    for name, more in (("merge", {}), ("undo_merge", {"merge": "c0"})):
        routed = commands.take_in(given(name, **more, **patients), facilities, event_id=EVENT)
        assert isinstance(routed, Routed)
        assert (routed.to, routed.key) == (To.IDENTIFIERS, LINKS)
        said = decode_link(routed.value)
        assert (said.event_id, said.id, said.losing, said.surviving) == (EVENT, "c1", f"LAKE|{MRN}", "LAKE|1")


def test_what_is_forgotten_and_restated_are_entries(facilities: Facilities) -> None:
    """A statement keeps its event id, and says which command restated it, and when."""
    expiry = commands.take_in(
        given("forget", patient="LAKE|01", before="2020-01-01"), facilities, event_id=EVENT
    )
    assert isinstance(expiry, Expiry)
    assert (expiry.patient, expiry.before.isoformat()) == ("LAKE|1", "2020-01-01")
    restated = commands.take_in(given("restate", statement=STATEMENT), facilities, event_id=EVENT)
    assert isinstance(restated, ProcedureEvent)
    assert (restated.event_id, restated.because) == (STATEMENT["event_id"], EVENT)
    assert restated.restated == 1741680000000


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "message"),
        (b"", "message"),
        (b"{", "message"),
        (b"[]", "message"),
        (given(MRN), "command"),
        (json.dumps(SIGNED).encode(), "command"),
        (given("reject"), "item"),
        (given("reject", item=""), "item"),
        (given("reject", item="x" * 300), "item"),
        (given("reject", item="x", **{MRN: MRN}), "message"),
        (given("reject", item="x", time="2025-03-11T08:00:00"), "time"),
        (given("reject", item="x", reason=" "), "reason"),
        (given("redrive", item="x", value=f"{MRN}1"), "value"),
        (given("release", item="x", fill={MRN: MRN}), "fill"),
        (given("release", item="x", fill={"patient": {MRN: MRN}}), "fill"),
        (given("release", item="x", fill={"status": MRN}), "fill.status"),
        (given("release", item="x", fill={"patient": {"mrn": 4711}}), "fill.patient.mrn"),
        (given("release", item="x", fill={"patient": MRN}), "fill.patient"),
        (given("forget", patient=f"NOBODY|{MRN}", before="2020-01-01"), "patient"),
        (given("forget", patient=MRN, before="2020-01-01"), "patient"),
        (given("forget", patient=f"LAKE|{MRN}|1", before="2020-01-01"), "patient"),
        (given("forget", patient="LAKE|1", before=MRN), "before"),
        (given("allow_unit", **(UNIT | {"stream": MRN})), "stream"),
        (given("merge", losing="LAKE|1", surviving=f"NOBODY|{MRN}"), "surviving"),
        (given("restate", statement={**STATEMENT, "status": MRN}), "statement"),
        (given("restate", statement={MRN: MRN}), "statement"),
    ],
)
def test_a_command_that_cannot_be_used_names_the_field(
    facilities: Facilities, value: bytes | None, field: str
) -> None:
    """And repeats neither a value nor a name that was sent."""
    with pytest.raises(Unreadable) as told:
        commands.take_in(value, facilities, event_id=EVENT)
    decision = dead_letter(told.value, facilities, event_id=EVENT, received=17)
    assert (decision.outcome, decision.field) == (Outcome.DEAD_LETTERED, field)
    assert MRN not in str(told.value)


def test_an_acknowledgement_is_an_entry_of_the_patient_of_the_charge(facilities: Facilities) -> None:
    """In the one spelling; as we wrote it where the file knows the authority no more."""
    for stated, patient in (("LAKE|0031", "LAKE|31"), ("GONE|0031", "GONE|0031")):
        ack = {"charge_id": "c", "patient": stated, "status": "refused", "reason": "no", "ours": 1}
        entry = acks.take_in(json.dumps(ack).encode(), facilities, event_id=EVENT)
        assert entry == Acknowledgement(
            patient=patient, event_id=EVENT, charge_id="c", status=Acknowledged.REFUSED, reason="no"
        )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"status": "refused"}, "reason"),
        ({"status": "refused", "reason": " "}, "reason"),
        ({"status": MRN}, "status"),
        ({"charge_id": None}, "charge_id"),
        ({"patient": 4711}, "patient"),
        ({"time": "2025-03-11T08:00:00"}, "time"),
    ],
)
def test_an_acknowledgement_that_cannot_be_used_names_the_field(
    facilities: Facilities, changed: dict[str, Any], field: str
) -> None:
    """A refusal must say why."""
    ack = {"charge_id": "c", "patient": "LAKE|1", "status": "accepted"} | changed
    with pytest.raises(Unreadable) as told:
        acks.take_in(json.dumps(ack).encode(), facilities, event_id=EVENT)
    assert told.value.field == field
    assert MRN not in str(told.value)
