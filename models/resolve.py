"""What intake settles: a message in its source's words becomes an event in ours, or a decision why not.

Everything that depends on the facilities file is decided here and written into the event, with a digest of
the settings used, so that nothing after intake needs the file. Pure: same message, same file, same result.

A performed procedure that would be reported needs everything, and is held for a person where something does
not resolve. Any other statement needs only source, procedure id, version and patient; what else resolves is
filled in. What is not ours is never held, and a test message touches no procedure.
"""

import re
from typing import NamedTuple

from models.billing import Decision, Outcome, Reason, Warning  # noqa: A004 - the design's word
from models.content import digest
from models.dates import utc_text
from models.facilities import Authority, Facilities, Facility, ProcedureIds, Source
from models.messages import MessageIdentity, ProcedureMessage, StatedPatient, StatedPerformer, Unreadable
from models.procedures import SEPARATOR, Performer, ProcedureEvent, Reporting, Status, VersionKind
from models.service_line import Problem, ServiceLine, service_line

PRODUCTION = "P"
NPI = re.compile(r"[0-9]{10}")
ANYONE = StatedPatient()


class Identity(NamedTuple):
    """Which procedure of which patient and source it is; ``problems`` says what did not resolve."""

    source: Source | None
    home: Facility | None
    """The facility whose source it is."""
    procedure_id: str | None
    authority: Authority | None
    patient: str | None
    problems: list[Problem]


def resolve(
    message: ProcedureMessage, facilities: Facilities, *, event_id: str, received: int
) -> ProcedureEvent | Decision:
    """The canonical event of a message, or the decision that it is held or not ours.

    ``event_id`` is ``topic:partition:offset:index``; ``received`` the record's timestamp in Kafka, in
    milliseconds: set by its producer, unless the topic has ``message.timestamp.type=LogAppendTime``.
    """
    who = _identify(message, facilities, event_id)
    line = service_line(message, facilities, who.source, who.home, received)

    def decide(outcome: Outcome, why: Problem) -> Decision:
        return _decision(outcome, why, who, line, facilities, event_id, received)

    if (message.processing or PRODUCTION).upper() != PRODUCTION:
        return decide(Outcome.NOT_OURS, Problem(Reason.TEST_MESSAGE))
    version, source, authority = None, who.source, who.authority
    if source is not None and who.home is not None:
        version = _version(message, source, who.home, who.problems)
    reported = message.status is Status.PERFORMED and line.reporting is Reporting.SEPARATE
    problems = who.problems + line.problems if reported else who.problems
    if problems:
        if line.reporting is Reporting.NOT_OURS:
            return decide(Outcome.NOT_OURS, Problem(Reason.NOT_A_CART_SERVICE))
        return decide(Outcome.HELD, problems[0])
    assert source is not None
    assert authority is not None
    assert who.procedure_id is not None
    assert who.patient is not None
    assert version is not None
    performers = _performers(message.performers or (), line.warnings)
    return ProcedureEvent(
        event_id=event_id,
        received=received,
        source=source.id,
        procedure_id=who.procedure_id,
        patient=who.patient,
        stated_patient=who.patient,
        version_kind=source.version,
        version=version,
        status=message.status,
        digest=digest(message),
        settings=facilities.digest(source, line.facility, authority),
        message_id=message.message_id or None,
        facility=line.facility.id if line.facility else None,
        stream=line.stream,
        service=line.service,
        service_date=line.service_date,
        reporting=line.reporting,
        code=line.code,
        stated_code=line.stated_code,
        survivor=line.survivor,
        revenue_code=line.revenue_code,
        charge_code=message.charge_code or None,
        account_number=message.account_number or None,
        encounter_number=message.encounter_number or None,
        patient_class=message.patient_class or None,
        modifiers=tuple(modifier.upper() for modifier in message.modifiers or () if modifier),
        performers=performers,
        performed_start=line.performed_start,
        performed_end=line.performed_end,
        product_ids=tuple(product for product in message.products or () if product),
        warnings=tuple(line.warnings),
        filing_limit=line.filing_limit,
        unique=source.procedure_ids is ProcedureIds.UNIQUE,
        held_on_claim=line.facility is None or line.facility.hold_on_claim,
    )


def dead_letter(unreadable: Unreadable, facilities: Facilities, *, event_id: str, received: int) -> Decision:
    """The decision on a record that cannot be read, with what of its identity resolves all the same."""
    who = _identify(unreadable.known or MessageIdentity(), facilities, event_id)
    why = Problem(Reason.UNREADABLE, unreadable.field, unreadable.expected)
    line = ServiceLine(who.home)
    return _decision(Outcome.DEAD_LETTERED, why, who, line, facilities, event_id, received)


def _decision(
    outcome: Outcome,
    why: Problem,
    who: Identity,
    line: ServiceLine,
    facilities: Facilities,
    event_id: str,
    received: int,
) -> Decision:
    return Decision(
        event_id=event_id,
        sequence=1,
        cause=event_id,
        outcome=outcome,
        reason=why.reason,
        field=why.field,
        detail=why.expected,
        source=who.source.id if who.source else None,
        procedure_id=who.procedure_id,
        patient=who.patient,
        facility=line.facility.id if line.facility else None,
        stream=line.stream,
        service=line.service,
        service_date=line.service_date,
        code=line.code,
        received=received,
        warnings=tuple(line.warnings),
        filing_limit=line.filing_limit,
        settings=facilities.digest(who.source, line.facility, who.authority),
    )


def _identify(message: MessageIdentity, facilities: Facilities, event_id: str) -> Identity:
    problems: list[Problem] = []
    sender = facilities.source(message.sending_application or "", message.sending_facility or "")
    source, home = sender or (None, None)
    procedure_id = None
    if source is None:
        declared = "a sender that a source of the facilities file declares"
        problems.append(Problem(Reason.UNKNOWN_SOURCE, "sending_application, sending_facility", declared))
    else:
        procedure_id = _procedure_id(message, source, event_id, problems)
    stated = message.patient or ANYONE
    named = stated.assigning_authority or (source.default_authority if source else None)
    authority = facilities.authority(named) if named else None
    patient = None
    if authority is None:
        declared = "an assigning authority of the facilities file, by id or alias"
        problems.append(Problem(Reason.UNKNOWN_AUTHORITY, "patient.assigning_authority", declared))
    else:
        mrn = authority.normal_mrn(stated.mrn or "")
        if mrn and SEPARATOR not in mrn:
            patient = f"{authority.id}{SEPARATOR}{mrn}"
        else:
            problems.append(Problem(Reason.NO_MRN, "patient.mrn", f"a medical record number, no {SEPARATOR}"))
    return Identity(source, home, procedure_id, authority, patient, problems)


def _procedure_id(
    message: MessageIdentity, source: Source, event_id: str, problems: list[Problem]
) -> str | None:
    stated, field, expected = message.procedure_id, "procedure_id", f"the id of the procedure, no {SEPARATOR}"
    if source.procedure_ids is ProcedureIds.UNDECLARED:
        stated, expected = None, "a source whose procedure ids the facilities file declares unique"
    elif source.procedure_ids is ProcedureIds.WITHIN_MESSAGE:
        if message.message_id:
            stated = f"{message.message_id}:{stated or event_id.rpartition(':')[2]}"
        else:
            stated, field = None, "message_id"
            expected = "a message id: the source's procedure ids are unique only within a message"
    if stated and SEPARATOR not in stated:
        return stated
    problems.append(Problem(Reason.NO_PROCEDURE_ID, field, expected))
    return None


def _version(
    message: ProcedureMessage, source: Source, home: Facility, problems: list[Problem]
) -> str | None:
    """Text that sorts as the source's versions do: a number padded, or a time in UTC."""
    if source.version is VersionKind.NUMBER:
        if message.version is not None:
            return f"{message.version:020d}"
        field, expected = (
            "version",
            "the version number of the procedure: the source is declared to number them",
        )
    else:
        by_record = source.version is VersionKind.RECORDED
        moment = message.recorded if by_record else message.sent
        if moment is not None:
            return utc_text(moment, home.zone)
        field = "recorded" if by_record else "sent"
        expected = "a date-time: the source is declared to order its statements by it"
    problems.append(Problem(Reason.NO_VERSION, field, expected))
    return None


def _performers(stated: tuple[StatedPerformer, ...], warnings: list[Warning]) -> tuple[Performer, ...]:
    """Performers with a proper NPI. A wrong one must not cost a charge: it is left out, with a warning."""
    performers = tuple(
        Performer(performer.npi, performer.role or None)
        for performer in stated
        if performer.npi and NPI.fullmatch(performer.npi)
    )
    if len(performers) < len(stated):
        warnings.append(Warning.PERFORMER_LEFT_OUT)
    return performers
