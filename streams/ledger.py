"""The ledger: agent 2. Owns the patients' tables, applies the rule, emits charges, credits and decisions."""

import logging
from datetime import date
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from models.billing import (
    Decision,
    Kind,
    Outcome,
    Reason,
    Warning,  # noqa: A004 - the design's word
    encode_billing_event,
)
from models.entries import (
    Acknowledgement,
    AnyEntry,
    Expiry,
    Opening,
    Override,
    decode_entry,
)
from models.patient import Patient, decode_patient, encode_patient
from models.patient_day import PatientDay, decode_patient_day, encode_patient_day, warn
from models.posting import Posting, post
from models.posting.commands import identify
from models.procedures import SEPARATOR, ProcedureEvent
from models.reconciliation import bucket_of
from models.tally import ACKNOWLEDGED, LATE, Bucket, of_service
from streams.cloudevents import CloudEvents
from streams.headers import decided_of
from streams.once import Codec, OnceApp, UnitOfWork
from streams.once.failure import where
from streams.passing import Passing
from streams.refusals import Refusals
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
        self._passing = Passing(topics, f"/{app.conf.id}/ledger", settings.partitions)
        self.patient_days = app.once_table("patient_days", PATIENT_DAYS)
        self.patients = app.once_table("patients", PATIENTS)
        self.refusals = Refusals(app, "refused")
        self.charges = app.once_table("charges", CHARGES)
        self.tallies = Tallies(app, "ledger")
        app.once_agent(
            "ledger",
            self.fill,
            changelogs={topics.procedures.name: topics.patient_days.name},
            tables=[
                *(self.patient_days, self.patients, self.charges, self.refusals.table),
                *self.tallies.tables,
            ],
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
        self.tallies.write(unit)

    def _take_in(self, unit: UnitOfWork, record: Any, entry: AnyEntry, first_time: bool) -> None:
        """Apply one entry. One that the rule fails on never stops the others.

        Reading the state is not guarded: where that fails nothing may be decided, and the worker ends.
        """
        stated = isinstance(entry, ProcedureEvent) and entry.command is None
        again = not first_time or (isinstance(entry, ProcedureEvent) and entry.again)
        about = _about(entry, record)
        # What a source states for the first time is not looked up: it would take a twentieth more time.
        if (again or not stated) and self.refusals.waits(about.event_id, about.decided):
            return
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
            if again or _is_heard(patient, entry):
                what = "the rule failed on an event delivered again, which stays as it is"
                log.error(what, extra={"event_id": about.event_id, "error": where(error)})
            else:
                self._failed(unit, record, entry, error)
            return
        self._keep(entry.patient, posting, patient)
        if posting.answers and about.decided:
            self.refusals.note(about.event_id, about.decided)
        self._send(unit, record.key, posting, again)
        self._count(posting, first_time)

    def _keep(self, name: str, posting: Posting, before: Patient) -> None:
        for day in posting.days:
            self.patient_days[name, day.service_date] = day
        for removed in posting.removed:
            for charge_id in self.patient_days.get((name, removed), NOTHING).charge_ids:
                del self.charges[charge_id]
            del self.patient_days[name, removed]
        if posting.patient is not before:
            self.patients[name] = posting.patient

    def _send(self, unit: UnitOfWork, key: bytes, posting: Posting, again: bool) -> None:
        topic = self._topics.billing_events.name
        for billing_event in posting.billing_events:
            headers = self._billing.headers(billing_event.id, billing_event.event_id, billing_event.cause)
            unit.send(topic, key, encode_billing_event(billing_event), headers)
            unit.counts[billing_event.kind] += 1
            if billing_event.kind is Kind.CHARGE:
                self.charges[billing_event.id] = (billing_event.patient, billing_event.service_date)
        for made in posting.made:
            self._passing.publish(unit, made.decision, key)
        for answer in posting.answers:
            # The rule counts from one, also where the command was a dead letter before.
            sequence = answer.sequence + self.refusals.last(answer.event_id)
            self._passing.publish(unit, replace(answer, sequence=sequence), key)
        for news in posting.news:
            self._passing.tell(unit, news)
        for sent in posting.sent:
            if again and isinstance(sent, ProcedureEvent) and sent.command is None:
                sent = replace(sent, again=True)
            self._passing.enter(unit, sent, [])
        for item in posting.items:
            self._passing.put_on_worklist(unit, item)

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
            for what in (event.kind, of_service(event.kind, event.service)):
                self.tallies.add(bucket_of(event), what)
        for charge, more in posting.acknowledged:
            self.tallies.add(bucket_of(charge), ACKNOWLEDGED, more)

    def _refused(self, unit: UnitOfWork, record: Any, decision: Decision) -> None:
        """Intake or the worklist held it or could not read it; if a charge of that procedure stands, say so.

        Told once: when it is delivered again, more may have been decided elsewhere.
        """
        if self.refusals.waits(decision.event_id, decision.sequence - 1):
            return
        self.refusals.note(decision.event_id, decision.sequence)
        key, source, procedure_id = decision.patient, decision.source, decision.procedure_id
        if key is not None and source is not None and procedure_id is not None:
            patient = self.patients.get(key, NOBODY)
            procedure = SEPARATOR.join((source, procedure_id, key))
            if procedure in patient.places:
                day = self.patient_days.get((key, patient.places[procedure]))
                decision = decision if day is None else warn([day], decision)
        self._passing.publish(unit, decision, record.key)

    def _failed(self, unit: UnitOfWork, record: Any, entry: AnyEntry | None, error: Exception) -> None:
        """Put the record aside whole, once."""
        event_id, cause, decided = _about(entry, record)
        if self.refusals.waits(event_id, decided):
            return
        sequence = decided + 1
        self.refusals.note(event_id, sequence)
        bucket = Bucket(*entry.bucket) if isinstance(entry, ProcedureEvent) else Bucket(None, None, None)
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
        )
        said = "the ledger's rule failed on this event"
        self._passing.bury(unit, record, decision, error, said)


class _About(NamedTuple):
    """The event that is decided."""

    event_id: str
    cause: str
    decided: int
    """How many decisions there were about it when it was sent."""


def _about(entry: AnyEntry | None, record: Any) -> _About:
    """A restatement answers its command. What agents of ours tell each other is named by its own place."""
    match entry:
        case ProcedureEvent(command=None):
            return _About(entry.event_id, entry.cause, entry.decided)
        case ProcedureEvent():
            return _About(entry.cause, entry.cause, decided_of(record))
        case Override() | Opening() | Acknowledgement() | Expiry():
            return _About(entry.event_id, entry.event_id, decided_of(record))
    own = f"{record.topic}:{record.partition}:{record.offset}:0"
    return _About(own, own, 0)


def _is_heard(patient: Patient, entry: AnyEntry) -> bool:
    """Whether it is a command that comes again, in another record: it had its effect, and was answered."""
    command, event_id = identify(entry) or ("", "")
    heard = patient.commands.get(command)
    return heard is not None and heard.event_id == event_id
