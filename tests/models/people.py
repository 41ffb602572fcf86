"""What people command, as it lies in the topics: the command, what intake makes of it, what was decided."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from models.account import Account, Spoken
from models.billing import Decision, Outcome
from models.commands import command
from models.entries import Opening, Override, Ruling
from models.reading import entries
from models.standing import Key
from models.survivors import Merged

_offsets = count()
NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)


def spoken(kind: str, name: str, **more: Any) -> Spoken:
    """A command as it was read, with an event id of its own."""
    told = {"command": kind, "id": name, "user": "ana", "time": NOON, "reason": "told so"} | more
    return Spoken(f"perdiem.commands:0:{next(_offsets)}:0", command.validate_python(told))


def allowed(key: Key, name: str) -> Spoken:
    return spoken("allow_unit", name, **key._asdict())


def taken_back(key: Key, name: str, allowed_by: str) -> Spoken:
    return spoken("take_back_unit", name, allowed_by=allowed_by, **key._asdict())


def opened(key: Key, name: str) -> Spoken:
    return spoken("opening_balance", name, **key._asdict())


def merge(name: str, losing: str, surviving: str, minute: int = 0) -> Merged:
    return Merged(minute, name, losing, surviving)


def units(*told: Spoken) -> list[Override | Opening]:
    """What the ledger takes in of commands about units."""
    return [entry for one in told for entry in entries(one) if isinstance(entry, Override | Opening)]


def tell(account: Account, *told: Spoken) -> None:
    """Put commands into ``account``, passed on to the ledger and applied."""
    for one in told:
        account.commands.append(one)
        account.procedures += entries(one)
        account.decisions.append(applied(one.event_id))


def applied(event_id: str, outcome: Outcome = Outcome.APPLIED, **more: Any) -> Decision:
    return Decision(event_id=event_id, sequence=1, cause=event_id, outcome=outcome, **more)


def rule(account: Account, item: str, patient: str, *, apply: bool) -> Spoken:
    """A person rules on what is parked; the ruling."""
    one = spoken("release" if apply else "reject", f"rule on {item}", item=item)
    account.commands.append(one)
    account.procedures.append(Ruling(patient=patient, event_id=one.event_id, item=item, apply=apply))
    account.decisions.append(applied(one.event_id))
    return one
