"""Unit: what a patient-day reports of one service, who fills it, and the billing events that follow."""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from itertools import zip_longest
from operator import attrgetter

import msgspec

from models.billing import Acknowledged, BillingEvent, Kind, ProcedureRef, Reason
from models.procedures import SEPARATOR, ProcedureEvent

NEEDED = ("facility", "stream", "service", "service_date", "code", "revenue_code")
"""What a performed procedure needs to be charged; intake holds it until it is known."""
SHOWN = tuple(f for f in BillingEvent.__struct_fields__ if f in ProcedureEvent.__struct_fields__)
"""What a charge takes from the statement that it shows."""
_needed = attrgetter(*NEEDED)
_shown = attrgetter(*SHOWN)
_seen_downstream = attrgetter(*(f for f in SHOWN if f != "event_id"))


class Credited(msgspec.Struct, array_like=True, frozen=True):
    """A charge that was taken back, and what brought that about."""

    charge_id: str
    procedure: str
    """Of which something else was true then: its own, or another that counted for the same units."""
    cause: str
    reason: Reason
    held: bool
    """Had billing said by then that it is on a claim, the credit would have waited for a person."""


class Unit(msgspec.Struct, omit_defaults=True):
    """One reportable unit of a key."""

    sequence: int = 0
    """Of its last billing event: odd while a charge stands."""
    charge: BillingEvent | None = None
    """The standing charge, whole, so that its credit can copy it."""
    procedure: str | None = None
    """Key of the procedure that fills the unit."""
    acknowledged: Acknowledged | None = None
    """What billing did with the standing charge. On a claim: what would credit it needs a person."""
    held: bool = True
    """What would credit the standing charge waits for a person, if that is on a claim."""
    credited: list[Credited] = []
    """Its charges that were taken back: billing may yet say that one is on a claim."""


Written = tuple[str, BillingEvent]
"""A billing event, with the key of its procedure."""


def unit_key(event: ProcedureEvent) -> str | None:
    """``stream|service`` of the units that ``event`` counts for on its day; None if it does not count."""
    return f"{event.stream}{SEPARATOR}{event.service}" if event.counts else None


def require(event: ProcedureEvent) -> None:
    """Raises ``ValueError`` if ``event`` counts, but intake left out what a charge needs."""
    if event.counts and None in _needed(event):
        missing = ", ".join(name for name in NEEDED if getattr(event, name) is None)
        raise ValueError(f"a performed procedure cannot be charged without {missing}")


def fillers(units: Sequence[Unit], counting: Mapping[str, ProcedureEvent], number: int) -> list[str | None]:
    """The procedures that fill the first ``number`` units, no more than count.

    Whoever fills a unit keeps it while it counts. A free one goes to whoever loses a higher unit,
    then to the lowest by the survivor policy.
    """
    filled = [unit.procedure if unit.procedure in counting else None for unit in units]
    stay = filled[:number] + [None] * (number - len(filled))
    if None not in stay:
        return stay
    waiting = [procedure for procedure in filled[number:] if procedure is not None]
    free = sorted((event.survivor, key) for key, event in counting.items() if key not in filled)
    following = iter(waiting + [key for _, key in free])
    return [procedure or next(following) for procedure in stay]


def settle(
    units: Sequence[Unit],
    counting: Mapping[str, ProcedureEvent],
    number: int,
    changed: Collection[str],
    cause: str,
    why: Reason | None,
) -> tuple[list[Unit], list[Written]]:
    """The units after the procedures ``changed`` have changed, and the billing events that bring them about.

    ``number`` of units stand. ``why`` is the reason of all credits, and of the charges of ``changed`` itself,
    or of all if nothing else changed: a correction, a merge, an override.
    """
    filling = fillers(units, counting, number)
    if filling == [unit.procedure for unit in units if unit.procedure] and not any(
        filler in changed for filler in filling
    ):
        return [*units], []
    covers = tuple(_ref(counting[key]) for key in sorted(counting) if key not in filling)
    settled: list[Unit] = []
    written: list[Written] = []
    for position, (before, filler) in enumerate(zip_longest(units, filling), start=1):
        unit = before or Unit()
        event = counting[filler] if filler is not None else None
        if filler == unit.procedure and (
            filler not in changed or _seen_downstream(unit.charge) == _seen_downstream(event)
        ):
            settled.append(unit)
            continue
        sequence, charge, credited = unit.sequence, None, unit.credited
        if unit.charge is not None and unit.procedure is not None:
            sequence += 1
            reason = why or Reason.FILLER_WITHDRAWN
            written.append((unit.procedure, _credit(unit.charge, sequence, cause, reason)))
            by = unit.procedure if unit.procedure in changed else next(iter(changed), unit.procedure)
            # Of one that was on a claim already a person has decided.
            held = unit.held and unit.acknowledged is not Acknowledged.ON_CLAIM
            credited = [*credited, Credited(unit.charge.id, by, cause, reason, held)]
        if event is not None and filler is not None:
            sequence += 1
            reason = (why or Reason.FIRST_OF_DAY) if filler in changed or not changed else Reason.PROMOTED
            charge = _charge(event, position, sequence, covers, cause, reason)
            written.append((filler, charge))
        held = event is None or event.held_on_claim
        settled.append(Unit(sequence, charge, filler, held=held, credited=credited))
    return settled, written


def _charge(
    event: ProcedureEvent,
    unit: int,
    sequence: int,
    covers: tuple[ProcedureRef, ...],
    cause: str,
    reason: Reason,
) -> BillingEvent:
    own = _billing_id(event, unit, sequence)
    return BillingEvent(
        **dict(zip(SHOWN, _shown(event), strict=True)),
        kind=Kind.CHARGE,
        id=own,
        charge_id=own,
        unit=unit,
        sequence=sequence,
        procedure=_ref(event),
        covers=covers,
        cause=cause,
        reason=reason,
    )


def _credit(charge: BillingEvent, sequence: int, cause: str, reason: Reason) -> BillingEvent:
    return msgspec.structs.replace(
        charge,
        kind=Kind.CREDIT,
        id=_billing_id(charge, charge.unit, sequence),
        reverses=charge.id,
        sequence=sequence,
        cause=cause,
        reason=reason,
    )


def _billing_id(of: ProcedureEvent | BillingEvent, unit: int, sequence: int) -> str:
    parts = (of.patient, of.stream, of.service, of.service_date, unit, sequence)
    return sha256(SEPARATOR.join(map(str, parts)).encode()).hexdigest()[:32]


def _ref(event: ProcedureEvent) -> ProcedureRef:
    return ProcedureRef(event.source, event.procedure_id, event.facility)
