"""What people and billing say, as the tests of the rule put it."""

from itertools import count
from typing import Any

from models.billing import Acknowledged, BillingEvent
from models.codes import Service
from models.entries import Acknowledgement, Opening, Override, Ruling
from models.links import Merge, Undo
from models.procedures import Stream
from tests.models.said import MONDAY, PATIENT

_offsets = count()


def command_event() -> str:
    """The event id of another record of what people say."""
    return f"perdiem.commands:0:{next(_offsets)}:0"


def allowed(command: str = "o1", **more: Any) -> Override:
    """A second collection on Monday is allowed, unless told otherwise."""
    return Override(**_units(command, more))


def taken_back(name: str = "o1", command: str = "t1", **more: Any) -> Override:
    """What the command ``name`` allowed is taken back."""
    return Override(**_units(command, {"name": name, "stands": False, **more}))


def opened(command: str = "b1", **more: Any) -> Opening:
    """The system in use before go-live charged a collection on Monday, unless told otherwise."""
    return Opening(**_units(command, more))


def _units(command: str, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "patient": PATIENT,
        "event_id": command_event(),
        "command": command,
        "stream": Stream.FACILITY,
        "service": Service.COLLECTION,
        "service_date": MONDAY,
        "name": command,
        **more,
    }


def acknowledged(
    charge: BillingEvent, status: Acknowledged = Acknowledged.ON_CLAIM, **more: Any
) -> Acknowledgement:
    """Billing put the charge on a claim, unless told otherwise."""
    said: dict[str, Any] = {"patient": charge.patient, "charge_id": charge.id, "status": status, **more}
    return Acknowledgement(event_id=f"billing.acks:0:{next(_offsets)}:0", **said)


def ruled(item: str, *, apply: bool, patient: str = PATIENT, decided: int = 0) -> Ruling:
    """A person releases what waits on the worklist, or rejects it."""
    return Ruling(patient=patient, event_id=command_event(), item=item, apply=apply, decided=decided)


def merged(losing: str, surviving: str, name: str = "m1", time: int = 1) -> Merge:
    return Merge(event_id=command_event(), id=name, time=time, losing=losing, surviving=surviving)


def unmerged(merge: Merge, name: str = "u1") -> Undo:
    return Undo(
        event_id=command_event(),
        id=name,
        merge=merge.id,
        losing=merge.losing,
        surviving=merge.surviving,
    )
