"""What a source says, as the tests of the rule put it, and what the rule answers."""

from datetime import date
from itertools import count
from typing import Any

from models.billing import BillingEvent, Decision, Kind, Outcome, Reason
from models.codes import REVENUE_CODES, Service, code_on
from models.posting import Posting
from models.procedures import ProcedureEvent, Status, Stream, VersionKind
from tests.models.ledger import Ledger

PATIENT = "UH|0012345"
MONDAY, TUESDAY = date(2025, 3, 10), date(2025, 3, 11)
KEY = "facility|collection"
NO_CONTENT = ("received", "patient", "version", "version_kind", "status")
"""What makes no difference to the digest."""

_offsets = count()


def said(procedure_id: str = "A", version: int | str = 1, **more: Any) -> ProcedureEvent:
    """A collection on Monday, performed, unless told otherwise. Its digest is made of what it says."""
    told: dict[str, Any] = {
        "received": 1741600000000,
        "source": "lab",
        "patient": PATIENT,
        "version_kind": VersionKind.NUMBER,
        "version": version if isinstance(version, str) else f"{version:020}",
        "status": Status.PERFORMED,
        "facility": "north",
        "stream": Stream.FACILITY,
        "service": Service.COLLECTION,
        "service_date": MONDAY,
        "account_number": "A1",
        "survivor": (procedure_id,),
        **more,
    }
    service, day = told["service"], told["service_date"]
    if service and day:
        told = {"code": code_on(service, day), "revenue_code": REVENUE_CODES[service], **told}
    content = {name: value for name, value in told.items() if name not in NO_CONTENT}
    return ProcedureEvent(
        event_id=f"lab.procedures:0:{next(_offsets)}:0",
        procedure_id=procedure_id,
        stated_patient=told["patient"],
        digest=repr(sorted(content.items())),
        settings="s1",
        **told,
    )


def withdrawn(procedure_id: str = "A", version: int | str = 2, **more: Any) -> ProcedureEvent:
    """A withdrawal that says nothing but what it must."""
    bare = {"facility": None, "stream": None, "service": None, "service_date": None, "account_number": None}
    return said(procedure_id, version, **{"status": Status.WITHDRAWN, **bare, **more})


def sent(time: str, procedure_id: str = "A", **more: Any) -> ProcedureEvent:
    """A statement that nothing but its message time orders."""
    return said(procedure_id, version_kind=VersionKind.MESSAGE_TIME, **{"version": time, **more})


def sent_withdrawn(time: str, procedure_id: str = "A") -> ProcedureEvent:
    return withdrawn(procedure_id, version_kind=VersionKind.MESSAGE_TIME, version=time)


def kinds(verdict: Posting) -> list[tuple[Kind, str, int, int, Reason]]:
    """Kind, procedure, unit, sequence and reason of each billing event."""
    return [
        (event.kind, event.procedure.procedure_id, event.unit, event.sequence, event.reason)
        for event in verdict.billing_events
    ]


def told(verdict: Posting) -> list[tuple[str, int, Outcome]]:
    """Procedure, sequence and outcome of each decision."""
    return [(made.procedure_id or "", made.sequence, made.outcome) for made in verdict.decisions]


def latest(ledger: Ledger) -> dict[str, Decision]:
    """What is true now, by event id."""
    return {made.event_id: made for made in ledger.accounts[PATIENT].decisions}


def standing(ledger: Ledger, patient: str = PATIENT) -> list[BillingEvent]:
    """The charges that no credit took back."""
    events = ledger.accounts[patient].billing_events if patient in ledger.accounts else []
    credited = {event.reverses for event in events}
    return [event for event in events if event.kind is Kind.CHARGE and event.id not in credited]
