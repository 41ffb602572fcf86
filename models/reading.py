"""Reading an account: what was told in it, and which of it had effect."""

from collections.abc import Iterator, Mapping
from datetime import date

from models.account import Account, Spoken
from models.billing import Decision, Outcome
from models.commands import AllowUnit, Forget, Merge, OpeningBalance, TakeBackUnit, UndoMerge
from models.entries import Expiry, Handover, Opening, Override
from models.rulings import rejected, repeats, restated, stays, unmerged, unmoved, waiting
from models.survivors import Merged
from models.told import Told


def told(account: Account, latest: Mapping[str, Decision]) -> Told:
    """What was told in ``account``; ``latest``: the latest decision about each event."""
    heard = [spoken for spoken in account.commands if _heard(spoken, latest)]
    commands = [spoken.command for spoken in heard]
    passed_on = [record for spoken in heard for record in entries(spoken)]
    waits, against = waiting(account), rejected(account)
    waits |= repeats(account, latest, waits)
    against |= repeats(account, latest, against)
    against |= restated(account, against)
    out = waits | against
    watermarks: dict[str, date] = {}
    for expiry in passed_on:
        if isinstance(expiry, Expiry):
            watermarks[expiry.patient] = max(expiry.before, watermarks.get(expiry.patient, date.min))
    handed: dict[str, set[str]] = {}
    for record in account.procedures:
        if isinstance(record, Handover):
            handed.setdefault(record.name, set()).add(record.patient)
    return Told(
        statements=account.statements,
        units=[record for record in passed_on if isinstance(record, Override | Opening)],
        merges=[merged(command) for command in commands if isinstance(command, Merge)],
        undone={command.merge for command in commands if isinstance(command, UndoMerge)},
        refused={
            spoken.command.id
            for spoken in heard
            if isinstance(spoken.command, Merge) and _outcome(spoken, latest) is Outcome.REFUSED
        },
        parked=waits,
        rejected=against,
        unmoved=unmoved(account, out),
        stays=stays(account, out),
        unmerged=unmerged(account, out),
        watermarks=watermarks,
        handed=handed,
    )


def merged(command: Merge) -> Merged:
    time = int(command.time.timestamp() * 1000)
    return Merged(time, command.id, command.losing, command.surviving)


def entries(spoken: Spoken) -> Iterator[Override | Opening | Expiry]:
    """What a command about units or days of a patient says to the patient's ledger."""
    match spoken.command:
        case AllowUnit() | TakeBackUnit() | OpeningBalance() as command:
            entry = Opening if isinstance(command, OpeningBalance) else Override
            back = isinstance(command, TakeBackUnit)
            yield entry(
                patient=command.patient,
                event_id=spoken.event_id,
                command=command.id,
                stream=command.stream,
                service=command.service,
                service_date=command.service_date,
                name=command.allowed_by if isinstance(command, TakeBackUnit) else command.id,
                stands=not back,
            )
        case Forget() as command:
            yield Expiry(patient=command.patient, event_id=spoken.event_id, before=command.before)


def _heard(spoken: Spoken, latest: Mapping[str, Decision]) -> bool:
    """Not one that repeats another, or could not be read."""
    return _outcome(spoken, latest) not in (Outcome.REPEATED, Outcome.DEAD_LETTERED)


def _outcome(spoken: Spoken, latest: Mapping[str, Decision]) -> Outcome | None:
    decision = latest.get(spoken.event_id)
    return decision.outcome if decision else None
