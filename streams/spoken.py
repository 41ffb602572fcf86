"""Spoken: people's commands as the audit reads them, from the topic that people write to.

Nothing is taken from what intake made of them but the facilities file: patients are stated in any spelling,
and merges name patients that no other record of the command does. A file that has changed since can only
make the audit find too much.
"""

from pydantic import ValidationError

from models.account import Spoken
from models.commands import Discard, Redrive, Reject, Release, UndoMerge, command
from models.facilities import Facilities
from models.procedures import SEPARATOR
from streams.spill import Tie

PATIENTS = ("patient", "losing", "surviving")


def spoken(event_id: str, value: bytes | None, facilities: Facilities | None) -> Spoken:
    """The command of one record, its patients as the facilities file spells them."""
    try:
        said = command.validate_json(value or b"")
    except ValidationError:
        return Spoken(event_id, None)
    stated = {name: getattr(said, name) for name in PATIENTS if name in type(said).model_fields}
    if facilities is None:
        return Spoken(event_id, said, normal=not stated)
    normal = {name: normalised(patient, facilities) for name, patient in stated.items()}
    if None in normal.values():
        return Spoken(event_id, None)
    return Spoken(event_id, said.model_copy(update=normal))


def normalised(patient: str, facilities: Facilities) -> str | None:
    """The patient in its one spelling; None if its authority is unknown or nothing is left of its number."""
    name, _, stated = patient.partition(SEPARATOR)
    authority = facilities.authority(name.strip())
    mrn = authority.normal_mrn(stated) if authority else ""
    return f"{authority.id}{SEPARATOR}{mrn}" if authority and mrn and SEPARATOR not in mrn else None


def ties(record: Spoken) -> tuple[bytes, list[Tie]]:
    """The group that a command belongs to, and what ties it to others."""
    said = record.command
    patients = [getattr(said, name).encode() for name in PATIENTS if hasattr(said, name)]
    group = patients[0] if patients else record.event_id.encode()
    names = [f"event:{record.event_id}"]
    if said is not None:
        names.append(f"command:{said.id}")
    match said:
        case Release(item=item) | Reject(item=item) | Redrive(item=item) | Discard(item=item):
            names += [f"event:{item}", f"item:{item}"]
        case UndoMerge(merge=merge):
            names.append(f"command:{merge}")
    tied = [Tie(group, name) for name in names]
    return group, tied + [Tie(patient, names[0]) for patient in patients[1:]]
