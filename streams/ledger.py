"""The ledger: agent 2. Owns the tables, applies the rule, emits charges, credits and decisions."""

import logging
from datetime import date
from typing import Any

import msgspec
from msgspec.structs import replace

from models.billing import (
    BillingEvent,
    Decision,
    Outcome,
    Reason,
    decode_procedure_or_decision,
    encode_billing_event,
    encode_decision,
)
from models.patient import Patient, decode_patient, encode_patient
from models.patient_day import PatientDay, decide, decode_patient_day, encode_patient_day, gather, warn
from models.procedures import SEPARATOR, ProcedureEvent
from streams.cloudevents import CloudEvents
from streams.dead_letters import put_aside
from streams.once import Codec, OnceApp, UnitOfWork
from streams.once.failure import where
from streams.topics import Topics

log = logging.getLogger(__name__)

PatientDate = tuple[str, date | None]
"""Key of a patient-day: patient and service date; no date for what was withdrawn unseen."""

_KEY_SEPARATOR = "\x1f"


def _encode_key(key: PatientDate) -> bytes:
    patient, service_date = key
    return f"{patient}{_KEY_SEPARATOR}{service_date or ''}".encode()


def _decode_key(key: bytes) -> PatientDate:
    patient, _, service_date = key.decode().rpartition(_KEY_SEPARATOR)
    return patient, date.fromisoformat(service_date) if service_date else None


PATIENT_DAYS: Codec[PatientDate, PatientDay] = Codec(
    _encode_key, _decode_key, encode_patient_day, decode_patient_day
)
PATIENTS: Codec[str, Patient] = Codec(str.encode, bytes.decode, encode_patient, decode_patient)

REFUSED: Codec[str, int] = Codec(
    str.encode, bytes.decode, msgspec.json.Encoder().encode, msgspec.json.Decoder(int).decode
)
"""By event id, of every event that was held or failed on: the sequence of its last decision."""


class Ledger:
    """Turns procedure events into charges, credits and decisions."""

    def __init__(self, app: OnceApp, topics: Topics) -> None:
        self._topics = topics
        self._billing = CloudEvents("perdiem.billing-event", f"/{app.conf.id}/ledger")
        self._decided = CloudEvents("perdiem.decision", f"/{app.conf.id}/ledger")
        self.patient_days = app.once_table("patient_days", PATIENT_DAYS)
        self.patients = app.once_table("patients", PATIENTS)
        self.refused = app.once_table("refused", REFUSED)
        app.once_agent(
            "ledger",
            self.fill,
            changelogs={topics.procedures.name: topics.patient_days.name},
            tables=[self.patient_days, self.patients, self.refused],
        )

    def fill(self, unit: UnitOfWork) -> None:
        for record in unit.records:
            billing_events, decisions = self._take_in(unit, record)
            for billing_event in billing_events:
                unit.send(
                    self._topics.billing_events.name,
                    record.key,
                    encode_billing_event(billing_event),
                    self._billing.headers(billing_event.id),
                )
                unit.counts[billing_event.kind] += 1
            for decision in decisions:
                unit.send(
                    self._topics.decisions.name,
                    record.key,
                    encode_decision(decision),
                    self._decided.headers(decision.id),
                )
                unit.counts[decision.outcome if decision.sequence == 1 else "follow_up"] += 1

    def _take_in(self, unit: UnitOfWork, record: Any) -> tuple[list[BillingEvent], list[Decision]]:
        """What one record brings about. One that the rule fails on never stops the others.

        Reading the state is not guarded: where that fails nothing may be decided, and the worker ends.
        """
        try:
            event = decode_procedure_or_decision(record.value)
        except msgspec.DecodeError as error:
            return [], [self._failed(unit, record, None, error)]
        if isinstance(event, Decision):
            return [], [self._refused(event)]
        patient = self.patients.get(event.patient) or Patient()
        procedure = event.procedure
        stands = patient.places.get(procedure, event.service_date)
        days = gather(event, stands, lambda day: self.patient_days.get((event.patient, day)))
        try:
            verdict = decide(days, event)
        except Exception as error:
            return [], [self._failed(unit, record, event, error)]
        for day in verdict.days:
            self.patient_days[event.patient, day.service_date] = day
        if procedure not in patient.places or verdict.stands != stands:
            places = {**patient.places, procedure: verdict.stands}
            self.patients[event.patient] = replace(patient, places=places)
        return verdict.billing_events, verdict.decisions

    def _refused(self, decision: Decision) -> Decision:
        """Intake held it or could not read it; if a charge of that procedure stands, say so."""
        key, source, procedure_id = decision.patient, decision.source, decision.procedure_id
        if key is None or source is None or procedure_id is None:
            return decision
        sequence = self._next_sequence(decision.event_id)
        decision = replace(decision, sequence=sequence, repeated=sequence > 1)
        procedure = SEPARATOR.join((source, procedure_id, key))
        patient = self.patients.get(key)
        if patient is None or procedure not in patient.places:
            return decision
        stands = patient.places[procedure]
        day = self.patient_days.get((key, stands))
        return decision if day is None else warn({stands: day}, decision)

    def _next_sequence(self, event_id: str) -> int:
        """Of an event that no patient-day counts the decisions of: a replay must not use a number twice."""
        sequence = self.refused.get(event_id, 0) + 1
        self.refused[event_id] = sequence
        return sequence

    def _failed(
        self, unit: UnitOfWork, record: Any, event: ProcedureEvent | Decision | None, error: Exception
    ) -> Decision:
        event_id = event.event_id if event else f"{record.topic}:{record.partition}:{record.offset}:0"
        log.error("The rule failed on event %s: %s; it is a dead letter now", event_id, where(error))
        put_aside(
            unit,
            self._topics.dead_letters.name,
            record,
            key=record.key,
            reason=Reason.RULE_FAILED,
            error=type(error).__name__,
            message="the ledger's rule failed on this event",
            event_id=event_id,
        )
        sequence = self._next_sequence(event_id)
        return Decision(
            event_id=event_id,
            sequence=sequence,
            cause=event_id,
            outcome=Outcome.DEAD_LETTERED,
            reason=Reason.RULE_FAILED,
            patient=event.patient if event else None,
            repeated=sequence > 1,
        )
