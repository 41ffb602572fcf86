"""Acknowledgements: what billing did with a charge."""

from collections.abc import Iterator
from datetime import date

from msgspec.structs import replace

from models.billing import Acknowledged, BillingEvent, Outcome, Reason
from models.billing import Kind as BillingKind
from models.entries import Acknowledgement
from models.posting.books import Books
from models.procedures import SEPARATOR
from models.units import Credited, Unit
from models.worklist import Item, Kind

_RANK = {Acknowledged.ACCEPTED: 0, Acknowledged.REFUSED: 1, Acknowledged.ON_CLAIM: 2}
"""Of several about one charge the highest is kept, in whatever order they come."""


def acknowledge(books: Books, entry: Acknowledgement) -> None:
    for day, key, number, unit in all_units(books):
        if unit.charge is not None and unit.charge.id == entry.charge_id:
            known = unit.acknowledged
            if known is None or _RANK[entry.status] > _RANK[known]:
                units = [*books.days[day].units[key]]
                units[number] = replace(unit, acknowledged=entry.status)
                books.days.change(day).units[key] = units
            if entry.status is Acknowledged.REFUSED:
                books.out.items.append(refused(books, entry, unit.charge))
            books.answer(entry.event_id, entry, Outcome.APPLIED)
            return
        for credited in unit.credited:
            if credited.charge_id == entry.charge_id:
                if entry.status is Acknowledged.ON_CLAIM and credited.held:
                    claimed(books, entry, credited, day)
                books.answer(entry.event_id, entry, Outcome.APPLIED)
                return
    if entry.charge_id in books.patient.forgotten:
        books.answer(entry.event_id, entry, Outcome.APPLIED)
    else:
        books.answer(entry.event_id, entry, Outcome.REFUSED, Reason.UNKNOWN_CHARGE)


def all_units(books: Books) -> Iterator[tuple[date | None, str, int, Unit]]:
    for day in dict.fromkeys((*books.patient.places.values(), *books.patient.left)):
        for key, units in books.days[day].units.items():
            for number, unit in enumerate(units):
                yield day, key, number, unit


def refused(books: Books, entry: Acknowledgement, charge: BillingEvent) -> Item:
    return Item(
        id=f"refused:{charge.id}",
        kind=Kind.REFUSED_CHARGE,
        patient=books.name,
        facility=charge.facility,
        source=charge.procedure.source,
        service_date=charge.service_date,
        detail=entry.reason,
        event_ids=(charge.event_id,),
        charge_id=charge.id,
    )


def claimed(books: Books, entry: Acknowledgement, credited: Credited, day: date | None) -> None:
    item = f"claimed:{credited.charge_id}"
    if item in books.patient.ruled:
        return
    if item not in books.patient.claimed:
        books.patient = replace(books.patient, claimed={**books.patient.claimed, item: credited})
    books.out.items.append(
        Item(
            id=item,
            kind=Kind.CLAIMED,
            patient=books.name,
            service_date=day,
            reason=Reason.ON_CLAIM,
            detail=f"credited ({credited.reason.replace('_', ' ')}) before billing said it is on a claim",
            event_ids=(credited.cause,),
            charge_id=credited.charge_id,
        )
    )


def credits_a_claimed_charge(books: Books) -> BillingEvent | None:
    """A credit of a charge that is on a claim, at a facility where that needs a person; None if none is."""
    for event in books.out.billing_events:
        if event.kind is BillingKind.CREDIT:
            was = books.days.was(event.service_date)
            unit = was.units[f"{event.stream}{SEPARATOR}{event.service}"][event.unit - 1]
            if unit.acknowledged is Acknowledged.ON_CLAIM and unit.held:
                return event
    return None
