"""Chains: the charges and credits of one unit, in the order they were written."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from models.billing import BillingEvent, Kind
from models.findings import Figure, Finding
from models.standing import Key

Chains = dict[tuple[Key, int], list[BillingEvent]]
"""Billing events by key and unit, in the order of the log."""


def by_unit(billing_events: Sequence[BillingEvent]) -> Chains:
    """Billing events by key and unit."""
    chains: Chains = defaultdict(list)
    for event in billing_events:
        key = Key(event.patient, event.stream, event.service, event.service_date)
        chains[key, event.unit].append(event)
    return chains


def standing_charges(chains: Chains) -> dict[Key, list[BillingEvent]]:
    """The charges that no credit took back, by key."""
    stand: dict[Key, list[BillingEvent]] = defaultdict(list)
    for (key, _), chain in chains.items():
        credited = {event.reverses for event in chain if event.kind is Kind.CREDIT}
        stand[key] += [
            event for event in chain if event.kind is Kind.CHARGE and event.charge_id not in credited
        ]
    return stand


def alternates(chain: Sequence[BillingEvent]) -> Iterator[Finding]:
    """What is wrong with one chain: charges and credits alternate, numbered, each credit a copy."""
    for written, times in Counter(event.id for event in chain).items():
        if times > 1:
            yield Finding(Figure.DOUBLED, written, f"was written {times} times")
    last: BillingEvent | None = None
    for sequence, event in enumerate(chain, start=1):
        if event.sequence != sequence:
            yield Finding(
                Figure.OUT_OF_SEQUENCE, event.id, f"is number {event.sequence} instead of {sequence}"
            )
        if event.kind is Kind.CHARGE and last is not None and last.kind is Kind.CHARGE:
            yield Finding(Figure.DOUBLED, event.id, "charges a unit whose charge was not credited")
        if event.kind is Kind.CREDIT and (last is None or not _takes_back(event, last)):
            yield Finding(Figure.OUT_OF_SEQUENCE, event.id, "is not a copy of the charge before it")
        last = event


def _takes_back(credit: BillingEvent, charge: BillingEvent) -> bool:
    own = {"kind": charge.kind, "id": charge.id, "sequence": charge.sequence, "reverses": None}
    why = {"cause": charge.cause, "reason": charge.reason}
    return (
        charge.kind is Kind.CHARGE
        and credit.reverses == charge.id
        and replace(credit, **own, **why) == charge
    )
