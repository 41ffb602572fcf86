"""The inputs of the bench."""

import msgspec

from bench.load import PROCEDURES, again, canonical, messages, patient_days
from models.procedures import ProcedureEvent, decode_procedure
from streams.play import Record


def events_of(records: list[Record]) -> list[ProcedureEvent]:
    return [decode_procedure(record.value or b"") for record in records]


def test_every_run_gets_the_same_input() -> None:
    """Two benches can be compared."""
    assert messages(200) == messages(200)
    assert [*canonical(messages(200))] == [*canonical(messages(200))]
    assert [*again(messages(200), 0.5)] == [*again(messages(200), 0.5)]
    assert len(messages(200)) == 200


def test_the_ledger_gets_what_intake_would_pass_on() -> None:
    """Canonical events under their patient's key, each with an id of its own."""
    records = [*canonical(messages(500))]
    events = events_of(records)
    assert {record.topic for record in records} == {PROCEDURES}
    assert [record.key for record in records] == [event.patient.encode() for event in events]
    assert len({event.event_id for event in events}) == len(events) > 400


def test_so_many_of_the_records_come_again_as_were_asked_for() -> None:
    """Half of the input, or none of it, repeats what came before."""
    records = messages(2000)
    repeated = [*again(records, 0.5)]
    assert 0.45 < 1 - len(records) / len(repeated) < 0.55
    assert {msgspec.json.encode(record) for record in map(list, repeated)} == {
        msgspec.json.encode(record) for record in map(list, records)
    }
    assert [*again(records, 0.0)] == records


def test_patient_days_are_as_many_as_were_asked_for_and_go_on_where_the_last_ended() -> None:
    """A state can be grown in steps."""
    events = events_of([*patient_days(0, 6), *patient_days(6, 10)])
    assert len({(event.patient, event.service_date) for event in events}) == 10
    assert len({event.event_id for event in events}) == len({event.procedure for event in events}) == 20
    assert all(event.counts for event in events)
