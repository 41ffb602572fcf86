"""Accounts worked out by hand: two collections of a day, and what is written of them."""

from datetime import date

import msgspec

from models.billing import BillingEvent, Decision, Kind, Outcome, ProcedureRef, Reason
from models.codes import Service
from models.procedures import ProcedureEvent, Status, Stream
from tests.models.strategies import PATIENTS, logged, statement

FIRST, SECOND, GONE = logged(
    [
        statement(PATIENTS[0], "lab", 1, 0, Status.PERFORMED, 0),
        statement(PATIENTS[0], "lab", 2, 0, Status.PERFORMED, 0),
        statement(PATIENTS[0], "lab", 1, 1, Status.WITHDRAWN, 0),
    ]
)


def charge_of(event: ProcedureEvent, sequence: int, cause: str, reason: Reason) -> BillingEvent:
    return BillingEvent(
        kind=Kind.CHARGE,
        id=f"c{sequence}",
        charge_id=f"c{sequence}",
        unit=1,
        sequence=sequence,
        patient=event.patient,
        facility=event.facility or "",
        stream=Stream.FACILITY,
        service=Service.COLLECTION,
        service_date=event.service_date or date.min,
        code=event.code or "",
        revenue_code=event.revenue_code or "",
        account_number=event.account_number,
        procedure=ProcedureRef(event.source, event.procedure_id, event.facility),
        event_id=event.event_id,
        cause=cause,
        reason=reason,
    )


def decided(event: ProcedureEvent, sequence: int, outcome: Outcome, *told: str, **more: object) -> Decision:
    made = Decision(
        event_id=event.event_id, sequence=sequence, cause=event.event_id, outcome=outcome, billing_events=told
    )
    return msgspec.structs.replace(made, **more)


CHARGE = charge_of(FIRST, 1, FIRST.event_id, Reason.FIRST_OF_DAY)
CREDIT = msgspec.structs.replace(
    CHARGE,
    kind=Kind.CREDIT,
    id="c2",
    sequence=2,
    reverses="c1",
    cause=GONE.event_id,
    reason=Reason.FILLER_WITHDRAWN,
)
NEXT = charge_of(SECOND, 3, GONE.event_id, Reason.PROMOTED)
DECISIONS = [
    decided(FIRST, 1, Outcome.REPORTED, "c1", charge_id="c1", unit=1),
    decided(SECOND, 1, Outcome.ALREADY_REPORTED, covered_by=CHARGE.procedure),
    decided(GONE, 1, Outcome.WITHDRAWN, "c2"),
    decided(FIRST, 2, Outcome.SUPERSEDED, of=GONE.event_id, cause=GONE.event_id),
    decided(SECOND, 2, Outcome.REPORTED, "c3", charge_id="c3", unit=1, cause=GONE.event_id),
]
