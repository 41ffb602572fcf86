"""The audit of one patient: whether what came out is exactly what should, recomputed independently.

Four figures, each zero when all is well. The pipeline is audited by applying this to every patient
(``streams.audit``), the rule by applying it to what it made of generated statements.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from models.billing import BillingEvent, Decision, Kind, Outcome
from models.day import PatientDay
from models.procedures import ProcedureEvent
from models.standing import Key, histories, shows, standing
from models.truth import untrue

AT_INTAKE = frozenset({Outcome.HELD, Outcome.DEAD_LETTERED, Outcome.NOT_OURS})
"""Outcomes that intake may decide by itself, without a statement for the ledger."""


class Figure(StrEnum):
    """What can be wrong."""

    MISSING = "missing"
    """A charge that should stand does not."""
    DOUBLED = "doubled"
    """A charge stands that should not, or the same was written twice."""
    UNEXPLAINED = "unexplained"
    """An event without a decision, a billing event no decision tells of, or a decision that is not true."""
    OUT_OF_SEQUENCE = "out_of_sequence"
    """Charges and credits do not alternate, a credit is no copy, or a number is left out."""


class Finding(NamedTuple):
    """One thing that is wrong, named by a billing event's or a procedure event's id."""

    figure: Figure
    id: str
    what: str


Chains = dict[tuple[Key, int], list[BillingEvent]]
"""Billing events by key and unit, in the order of the log."""


@dataclass
class Account:
    """Everything in the topics about one patient, each list in the order of its log."""

    procedures: list[ProcedureEvent | Decision] = field(default_factory=list)
    """Canonical statements, and what intake decided about a procedure that it could name."""
    decisions: list[Decision] = field(default_factory=list)
    billing_events: list[BillingEvent] = field(default_factory=list)
    days: list[PatientDay] | None = None
    """What the ledger keeps of the patient now; None leaves it out of the audit."""

    @property
    def statements(self) -> list[ProcedureEvent]:
        return [record for record in self.procedures if isinstance(record, ProcedureEvent)]


def audit(account: Account, overrides: Mapping[Key, int] | None = None) -> Iterator[Finding]:
    """All that is wrong with one patient's account; nothing, when all is well."""
    chains = by_unit(account.billing_events)
    for chain in chains.values():
        yield from _alternates(chain)
    charges = standing_charges(chains)
    yield from _stands(account, charges, overrides)
    if account.days is not None:
        yield from _kept(account.days, charges)
    yield from _numbered(account.decisions)
    yield from _told(account)
    yield from _true(account, charges)


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


def _alternates(chain: Sequence[BillingEvent]) -> Iterator[Finding]:
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
        and msgspec.structs.replace(credit, **own, **why) == charge
    )


def _stands(
    account: Account, charges: Mapping[Key, list[BillingEvent]], overrides: Mapping[Key, int] | None
) -> Iterator[Finding]:
    should = standing(account.statements, overrides)
    for key in {**should, **charges}:
        units, counting = should.get(key, (0, {}))
        stand = charges.get(key, [])
        if len(stand) < units:
            first = min(statement.event_id for statement in counting.values())
            yield Finding(Figure.MISSING, first, f"{len(stand)} of {units} units of its day stand")
        for charge in stand[units:]:
            yield Finding(Figure.DOUBLED, charge.id, f"stands though {units} units should")
        if sorted(charge.unit for charge in stand) != list(range(1, len(stand) + 1)):
            yield Finding(Figure.OUT_OF_SEQUENCE, stand[0].id, "leaves out a unit")
        fillers = {(statement.source, statement.procedure_id): statement for statement in counting.values()}
        for charge in stand:
            filler = fillers.pop((charge.procedure.source, charge.procedure.procedure_id), None)
            if filler is None:
                yield Finding(Figure.UNEXPLAINED, charge.id, "no procedure of its own counts for it")
            elif wrong := shows(charge, filler):
                yield Finding(Figure.UNEXPLAINED, charge.id, f"does not show {', '.join(wrong)} as stated")


def _kept(days: Sequence[PatientDay], charges: Mapping[Key, list[BillingEvent]]) -> Iterator[Finding]:
    kept = {
        unit.charge.id: unit.charge
        for day in days
        for units in day.units.values()
        for unit in units
        if unit.charge is not None
    }
    written = {charge.id: charge for stand in charges.values() for charge in stand}
    for unwritten in kept.keys() - written.keys():
        yield Finding(
            Figure.MISSING, unwritten, "stands in the ledger's state, but not in its billing events"
        )
    for charge_id, charge in written.items():
        if kept.get(charge_id) != charge:
            yield Finding(Figure.UNEXPLAINED, charge_id, "is another or absent in the ledger's state")


def _numbered(decisions: Sequence[Decision]) -> Iterator[Finding]:
    written: dict[str, Decision] = {}
    last: dict[str, int] = {}
    for decision in decisions:
        if decision.id in written:
            if written[decision.id] != decision:
                yield Finding(Figure.DOUBLED, decision.event_id, f"has two decisions {decision.sequence}")
            continue
        written[decision.id] = decision
        expected = last.get(decision.event_id, 0) + 1
        if decision.sequence != expected:
            what = f"has decision {decision.sequence} instead of {expected}"
            yield Finding(Figure.OUT_OF_SEQUENCE, decision.event_id, what)
        last[decision.event_id] = decision.sequence
        again = decision.sequence > 1 and decision.cause == decision.event_id
        if decision.repeated != again:
            yield Finding(Figure.UNEXPLAINED, decision.event_id, "is not told apart from its repetition")


def _told(account: Account) -> Iterator[Finding]:
    told = {told for decision in account.decisions for told in decision.billing_events}
    written = {event.id for event in account.billing_events}
    for billing_event in account.billing_events:
        if billing_event.id not in told:
            yield Finding(Figure.UNEXPLAINED, billing_event.id, "no decision tells of it")
    for decision in account.decisions:
        if not written.issuperset(decision.billing_events):
            yield Finding(Figure.UNEXPLAINED, decision.event_id, "a decision tells of what was not written")


def _true(account: Account, charges: Mapping[Key, list[BillingEvent]]) -> Iterator[Finding]:
    in_order = sorted(account.decisions, key=lambda decision: decision.sequence)
    latest = {decision.event_id: decision for decision in in_order}
    said = histories(account.statements)
    events = {record.event_id: record for record in account.procedures}
    for event_id in events:
        if event_id not in latest:
            yield Finding(Figure.UNEXPLAINED, event_id, "has no decision")
    for event_id, decision in latest.items():
        match events.get(event_id):
            case ProcedureEvent() as statement:
                wrong = untrue(decision, statement, said[statement.procedure], events, charges)
            case Decision(outcome=outcome):
                wrong = None if decision.outcome is outcome else f"intake decided {outcome}"
            case None:
                wrong = None if decision.outcome in AT_INTAKE else "there is no statement"
        if wrong:
            yield Finding(Figure.UNEXPLAINED, event_id, f"{decision.outcome}, but {wrong}")
