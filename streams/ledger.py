"""The ledger: agent 2. Owns the patients' tables, applies the rule, emits charges, credits and decisions."""

import logging
from datetime import date
from functools import lru_cache, partial
from typing import Any

import msgspec
from msgspec.structs import replace

from models.billing import (
    Decision,
    Kind,
    Outcome,
    Reason,
    Warning,  # noqa: A004 - the design's word
    encode_billing_event,
    encode_decision,
)
from models.entries import (
    Acknowledgement,
    AnyEntry,
    Expiry,
    Opening,
    Override,
    decode_entry,
    encode_entry,
)
from models.patient import Patient, decode_patient, encode_patient
from models.patient_day import PatientDay, decode_patient_day, encode_patient_day, warn
from models.posting import Posting, post
from models.procedures import SEPARATOR, ProcedureEvent
from models.tally import LATE, Bucket
from streams.cloudevents import CloudEvents
from streams.dead_letters import put_aside
from streams.headers import decided_of
from streams.once import Codec, OnceApp, UnitOfWork
from streams.once.failure import where
from streams.partitioning import partition_of
from streams.passing import Passing
from streams.settings import Settings
from streams.tallies import Tallies
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
"""By event id, of every event that was held or failed on: the number of its last decision then."""
CHARGES: Codec[str, PatientDate] = Codec(
    str.encode, bytes.decode, msgspec.json.Encoder().encode, msgspec.json.Decoder(PatientDate).decode
)
"""By charge id: the patient-day that it was made on, for as long as that is kept."""
NOBODY = Patient()
NOTHING = PatientDay("", None)


class Ledger:
    """Turns procedure events, and what people and billing say, into charges, credits and decisions."""

    def __init__(self, app: OnceApp, topics: Topics, settings: Settings) -> None:
        self._topics = topics
        self._billing = CloudEvents("perdiem.billing-event", f"/{app.conf.id}/ledger")
        self._decided = CloudEvents("perdiem.decision", f"/{app.conf.id}/ledger")
        self._passing = Passing(topics, f"/{app.conf.id}/ledger", settings.partitions)
        self._partition = lru_cache(maxsize=100_000)(partial(partition_of, partitions=settings.partitions))
        self.patient_days = app.once_table("patient_days", PATIENT_DAYS)
        self.patients = app.once_table("patients", PATIENTS)
        self.refused = app.once_table("refused", REFUSED)
        self.charges = app.once_table("charges", CHARGES)
        self.tallies = Tallies(app, "ledger")
        app.once_agent(
            "ledger",
            self.fill,
            changelogs={topics.procedures.name: topics.patient_days.name},
            tables=[self.patient_days, self.patients, self.refused, self.charges, *self.tallies.tables],
        )

    def fill(self, unit: UnitOfWork) -> None:
        for record in unit.records:
            first_time = self.tallies.first_time(record)
            try:
                entry = decode_entry(record.value)
            except msgspec.DecodeError as error:
                self._failed(unit, record, None, error)
                continue
            if isinstance(entry, Decision):
                self._refused(unit, record, entry)
            else:
                self._take_in(unit, record, entry, first_time)
        self.tallies.write(unit.records)

    def _take_in(self, unit: UnitOfWork, record: Any, entry: AnyEntry, first_time: bool) -> None:
        """Apply one entry. One that the rule fails on never stops the others.

        Reading the state is not guarded: where that fails nothing may be decided, and the worker ends.
        """
        patient = self.patients.get(entry.patient, NOBODY)
        unread: list[Exception] = []

        def read(day: date | None) -> PatientDay | None:
            try:
                return self.patient_days.get((entry.patient, day))
            except Exception as error:
                unread.append(error)
                raise

        try:
            posting = post(patient, read, entry)
        except Exception as error:
            if unread:
                raise
            self._failed(unit, record, entry, error)
            return
        for day in posting.days:
            self.patient_days[entry.patient, day.service_date] = day
        for removed in posting.removed:
            for charge_id in self.patient_days.get((entry.patient, removed), NOTHING).charge_ids:
                del self.charges[charge_id]
            del self.patient_days[entry.patient, removed]
        if posting.patient is not patient:
            self.patients[entry.patient] = posting.patient
        self._send(unit, record.key, posting, decided_of(record))
        self._count(posting, first_time)

    def _send(self, unit: UnitOfWork, key: bytes, posting: Posting, decided: int) -> None:
        """``decided``: how many decisions there are already about the command or acknowledgement."""
        topics = self._topics
        for billing_event in posting.billing_events:
            headers = self._billing.headers(billing_event.id)
            unit.send(topics.billing_events.name, key, encode_billing_event(billing_event), headers)
            unit.counts[billing_event.kind] += 1
            if billing_event.kind is Kind.CHARGE:
                self.charges[billing_event.id] = (billing_event.patient, billing_event.service_date)
        for made in posting.made:
            self._decide(unit, key, made.decision)
        for answer in posting.answers:
            self._decide(unit, key, replace(answer, sequence=answer.sequence + decided))
        for news in posting.news:
            self._passing.tell(unit, news)
        for sent in posting.sent:
            whose = sent.patient.encode()
            unit.send(topics.procedures.name, whose, encode_entry(sent), partition=self._partition(whose))
        for item in posting.items:
            self._passing.put_on_worklist(unit, item)

    def _decide(self, unit: UnitOfWork, key: bytes, decision: Decision) -> None:
        headers = self._decided.headers(decision.id)
        unit.send(self._topics.decisions.name, key, encode_decision(decision), headers)
        unit.counts[decision.outcome if decision.sequence == 1 else "follow_up"] += 1

    def _count(self, posting: Posting, first_time: bool) -> None:
        for made in posting.made:
            bucket = Bucket(*made.event.bucket)
            former = made.former
            if former is None and made.event.command is not None and made.event.decided:
                # Intake itself had decided, and counted; a person restated it as one of ours.
                former = Outcome.NOT_OURS
            if former is not None:
                self.tallies.add(bucket, former, -1)
            elif made.event.again or (made.decision.outcome is Outcome.EXPIRED and not first_time):
                continue  # what it was before is no longer known, and counted
            elif Warning.LATE in made.decision.warnings:
                self.tallies.add(bucket, LATE)
            self.tallies.add(bucket, made.decision.outcome)
        for event in posting.billing_events:
            self.tallies.add(Bucket(event.service_date, event.facility, event.procedure.source), event.kind)

    def _refused(self, unit: UnitOfWork, record: Any, decision: Decision) -> None:
        """Intake or the worklist held it or could not read it; if a charge of that procedure stands, say so.

        Told once: when it is delivered again, more may have been decided elsewhere.
        """
        if decision.sequence <= self.refused.get(decision.event_id, 0):
            return
        self.refused[decision.event_id] = decision.sequence
        key, source, procedure_id = decision.patient, decision.source, decision.procedure_id
        if key is not None and source is not None and procedure_id is not None:
            patient = self.patients.get(key, NOBODY)
            procedure = SEPARATOR.join((source, procedure_id, key))
            if procedure in patient.places:
                day = self.patient_days.get((key, patient.places[procedure]))
                decision = decision if day is None else warn([day], decision)
        self._decide(unit, record.key, decision)

    def _failed(self, unit: UnitOfWork, record: Any, entry: AnyEntry | None, error: Exception) -> None:
        """Put the record aside whole. What agents of ours tell each other is named by its own place."""
        event_id = cause = f"{record.topic}:{record.partition}:{record.offset}:0"
        decided, bucket = 0, Bucket(None, None, None)
        if isinstance(entry, ProcedureEvent):
            event_id, cause, decided = entry.event_id, entry.cause, entry.decided
            bucket = Bucket(*entry.bucket)
        elif isinstance(entry, Override | Opening | Acknowledgement | Expiry):
            event_id, cause, decided = entry.event_id, entry.event_id, decided_of(record)
        sequence = max(self.refused.get(event_id, 0), decided) + 1
        self.refused[event_id] = sequence
        log.error("The rule failed on event %s: %s; it is a dead letter now", event_id, where(error))
        decision = Decision(
            event_id=event_id,
            sequence=sequence,
            cause=cause,
            outcome=Outcome.DEAD_LETTERED,
            reason=Reason.RULE_FAILED,
            patient=entry.patient if entry else None,
            service_date=bucket.service_date,
            facility=bucket.facility,
            source=bucket.source,
            repeated=sequence > 1 and cause == event_id,
        )
        put_aside(
            unit,
            self._topics.dead_letters.name,
            record,
            key=record.key,
            reason=Reason.RULE_FAILED,
            error=type(error).__name__,
            message="the ledger's rule failed on this event",
            event_id=event_id,
            decision=decision,
            partition=self._partition(event_id.encode()),
        )
        self._decide(unit, record.key, decision)
