"""Claims: no charge that billing put on a claim is credited without a person's ruling."""

from collections.abc import Iterator
from datetime import date

from models.account import Account
from models.billing import Acknowledged, BillingEvent, Kind
from models.entries import Acknowledgement, Expiry, Ruling
from models.findings import Figure, Finding
from models.rulings import on_claim
from models.standing import before
from models.truth import Stands
from models.worklist import Kind as ItemKind


def claims(account: Account, stands: Stands) -> Iterator[Finding]:
    """What is wrong with the credits of charges on a claim, and with what was parked for their sake."""
    claimed = _claimed(account)
    yield from _parked(account, claimed)
    if not claimed:
        return
    listed = {item.charge_id for item in account.items if item.kind is ItemKind.CLAIMED}
    late = {item.id for item in account.items if item.kind is ItemKind.CLAIMED}
    ruled = {
        record.event_id
        for record in account.procedures
        if isinstance(record, Ruling) and record.apply is not (record.item in late)
    }
    for event in account.billing_events:
        if event.kind is not Kind.CREDIT or event.charge_id not in claimed - listed:
            continue
        if event.cause not in ruled and _waits(event, stands):
            what = "credits a charge that is on a claim, and nobody ruled so"
            yield Finding(Figure.UNEXPLAINED, event.id, what)


def _claimed(account: Account) -> set[str]:
    """Charges that are on a claim, by their id.

    Not one whose day was no longer kept when billing said so: nobody could know by then who credited it.
    """
    charges = {event.charge_id: event for event in account.billing_events}
    watermarks: dict[str, date] = {}
    claimed = set()
    for record in account.procedures:
        if isinstance(record, Expiry):
            watermarks[record.patient] = max(record.before, watermarks.get(record.patient, date.min))
        elif isinstance(record, Acknowledgement) and record.status is Acknowledged.ON_CLAIM:
            charge = charges.get(record.charge_id)
            if charge is None or not before(charge, watermarks.get(record.patient)):
                claimed.add(record.charge_id)
    return claimed


def _waits(credit: BillingEvent, stands: Stands) -> bool:
    """Whether what would credit the charge has to wait once it is on a claim."""
    statement = stands.events.get(credit.event_id)
    return statement is None or statement.held_on_claim


def _parked(account: Account, claimed: set[str]) -> Iterator[Finding]:
    """What is parked although no charge is on a claim would wait for nothing."""
    if claimed:
        return
    for decision in account.decisions:
        if on_claim(decision):
            yield Finding(Figure.UNEXPLAINED, decision.event_id, "waits, though no charge is on a claim")
    for item in account.items:
        if item.kind in (ItemKind.CORRECTION, ItemKind.CLAIMED):
            cause = next(iter(item.event_ids), "an item of the worklist")
            yield Finding(Figure.UNEXPLAINED, cause, "waits, though no charge is on a claim")
