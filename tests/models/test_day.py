"""The state of patients and their days and what comes out stay readable by later versions."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.billing import decode_billing_event, decode_decision, encode_billing_event, encode_decision
from models.patient import Patient, decode_patient, encode_patient
from models.patient_day import PatientDay, decode_patient_day, encode_patient_day
from models.posting import Posting, post
from models.procedures import ProcedureEvent, decode_procedure, encode_procedure
from models.schema import NewerSchemaError
from tests.models.ledger import Ledger
from tests.models.said import MONDAY, PATIENT, said, sent, withdrawn

SAMPLES = Path(__file__).parent / "samples"
RECORDS: list[tuple[str, Callable[[bytes], Any], Callable[[Any], bytes]]] = [
    ("patient.v1.json", decode_patient, encode_patient),
    ("patient_day.v1.json", decode_patient_day, encode_patient_day),
    ("procedure_event.v1.json", decode_procedure, encode_procedure),
    ("decision.v1.json", decode_decision, encode_decision),
    ("billing_event.v1.json", decode_billing_event, encode_billing_event),
]


def read(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def structs(value: Any) -> Iterator[msgspec.Struct]:
    """All structs within ``value``, itself included."""
    if isinstance(value, msgspec.Struct):
        yield value
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, Iterable) and not isinstance(value, str):
        for part in value:
            yield from structs(part)


def test_the_samples_leave_out_no_field() -> None:
    """A field that is new has a value in one of them, or the promise below is not kept for it."""
    empty: dict[tuple[str, str], bool] = {}
    for name, decode, _ in RECORDS:
        for struct in structs(decode(read(name))):
            for field in msgspec.structs.fields(struct):
                default = field.default_factory() if callable(field.default_factory) else field.default
                always = field.default_factory not in (msgspec.NODEFAULT, dict, list)
                about = (type(struct).__name__, field.name)
                left_out = not always and getattr(struct, field.name) == default
                empty[about] = empty.get(about, True) and left_out
    assert [about for about, left_out in empty.items() if left_out] == []


@pytest.mark.parametrize(("name", "decode", "encode"), RECORDS)
def test_what_version_1_wrote_is_read_whole(
    name: str, decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]
) -> None:
    """A committed sample of each record, every field of it filled, is decoded and written again unchanged."""
    sample = read(name)
    assert msgspec.json.decode(encode(decode(sample))) == msgspec.json.decode(sample)


def test_the_sample_of_a_day_can_be_decided_on() -> None:
    """The charge that stood when it was written is credited from it, and its number goes on."""
    day = decode_patient_day(read("patient_day.v1.json"))
    [unit] = day.units["facility|collection"]
    assert unit.charge is not None
    assert unit.procedure is not None
    filler = day.procedures[unit.procedure].holder
    released = msgspec.structs.replace(
        day, units={"facility|collection": [msgspec.structs.replace(unit, acknowledged=None)]}
    )
    event = msgspec.structs.replace(withdrawn(filler.procedure_id, 9), source=filler.source)
    credit = decided(released, event).billing_events[0]
    assert (credit.reverses, credit.sequence) == (unit.charge.id, unit.sequence + 1)


def test_a_decision_keeps_what_people_and_other_patients_said() -> None:
    """That a procedure moved, what was charged before go-live and allowed further outlasts other events."""
    day = decode_patient_day(read("patient_day.v1.json"))
    [name] = [name for name, procedure in day.procedures.items() if procedure.moved]
    holder = day.procedures[name].holder
    later = msgspec.structs.replace(holder, event_id="lab.procedures:3:999:0", version="9", digest="9")
    [after] = decided(day, later).days
    assert after.procedures[name].holder == later
    assert after.procedures[name].moved
    assert (after.opening, after.overrides) == (day.opening, day.overrides)


def decided(day: PatientDay, event: ProcedureEvent) -> Posting:
    """What ``event`` brings about at a patient of whom there is this day alone."""
    patient = Patient(places=dict.fromkeys(day.procedures, day.service_date))
    return post(patient, {day.service_date: day}.get, event)


@pytest.mark.parametrize(
    ("name", "decode"), [("patient.v1.json", decode_patient), ("patient_day.v1.json", decode_patient_day)]
)
def test_state_of_a_later_schema_is_refused(name: str, decode: Callable[[bytes], Any]) -> None:
    """Rather than read in part: an older worker must not overwrite what it cannot know."""
    later = msgspec.json.decode(read(name)) | {"schema": 2, "procedures": "unknown", "places": "unknown"}
    with pytest.raises(NewerSchemaError, match="schema 2, this version reads up to 1"):
        decode(msgspec.json.encode(later))


def test_state_says_its_schema() -> None:
    """Even when it is empty: defaults are left out, the schema never is."""
    ledger = Ledger().apply_all([said()])
    assert msgspec.json.decode(encode_patient_day(ledger.days[PATIENT, MONDAY]))["schema"] == 1
    assert msgspec.json.decode(encode_patient(Patient()))["schema"] == 1


def test_a_stored_day_is_the_same_day() -> None:
    """All that a day holds survives the store: statements, counts, units, charges."""
    ledger = Ledger().apply_all([said("A"), said("B"), sent("2025-03-10T10", "C"), withdrawn("A")])
    day = ledger.days[PATIENT, MONDAY]
    assert decode_patient_day(encode_patient_day(day)) == day


def test_a_billing_event_always_says_one_unit_of_which_code_system() -> None:
    """Downstream need not know our defaults: units and code system are on every charge and credit."""
    [charge] = Ledger().apply(said()).billing_events
    sent_downstream = msgspec.json.decode(encode_billing_event(charge))
    assert (sent_downstream["units"], sent_downstream["code_system"]) == (1, "CPT")
