"""The audit of an account: whether what came out is exactly what should, recomputed independently.

Four figures, each zero when all is well. The pipeline is audited by applying this to every group of
connected patients (``streams.audit``), the rule by applying it to what it made of generated inputs.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from models.account import Account, Spoken
from models.answers import answers
from models.billing import Decision, Outcome
from models.chains import alternates, by_unit, standing_charges
from models.claims import claims
from models.commands import Discard, Reject
from models.day import PatientDay
from models.findings import Figure, Finding
from models.procedures import ProcedureEvent
from models.reading import told
from models.standing import before, should, shows
from models.truth import Stands, untrue

__all__ = ["Account", "Figure", "Finding", "Spoken", "audit", "by_unit", "standing_charges"]

AT_INTAKE = frozenset({Outcome.HELD, Outcome.DEAD_LETTERED, Outcome.NOT_OURS})
"""Outcomes that intake may decide by itself, without a statement for the ledger."""


def audit(account: Account) -> Iterator[Finding]:
    """All that is wrong with the account of a group of patients; nothing, when all is well."""
    chains = by_unit(account.billing_events)
    for chain in chains.values():
        yield from alternates(chain)
    charges = standing_charges(chains)
    in_order = sorted(account.decisions, key=lambda decision: decision.sequence)
    latest = {decision.event_id: decision for decision in in_order}
    was_told = told(account, latest)
    events: dict[str, ProcedureEvent] = {}
    for statement in account.statements:
        events.setdefault(statement.event_id, statement)
    stands = Stands(was_told, should(was_told), events, charges)
    yield from _stands(stands)
    if account.days is not None:
        yield from _kept(account.days, stands)
    yield from _numbered(account, latest)
    yield from _told(account)
    yield from _true(account, stands, latest)
    yield from answers(account, was_told, latest)
    yield from claims(account, stands)


def _stands(stands: Stands) -> Iterator[Finding]:
    expected = stands.should.standing
    for key in {**expected, **stands.charges}:
        stand = stands.charges.get(key, [])
        if key in stands.should.forgotten:
            for charge in stand[stands.should.allowed.get(key, 1) :]:
                yield Finding(Figure.DOUBLED, charge.id, "stands though no more units are allowed")
            continue
        units, counting = expected.get(key, (0, {}))
        if len(stand) < units:
            first = min(statement.event_id for statement in counting.values())
            yield Finding(Figure.MISSING, first, f"{len(stand)} of {units} units of its day stand")
        for charge in stand[units:]:
            yield Finding(Figure.DOUBLED, charge.id, f"stands though {units} units should")
        if sorted(charge.unit for charge in stand) != list(range(1, len(stand) + 1)):
            yield Finding(Figure.OUT_OF_SEQUENCE, stand[0].id, "leaves out a unit")
        fillers = {**counting}
        for charge in stand:
            filler = fillers.pop(stands.procedure_of(charge) or "", None)
            if filler is None:
                yield Finding(Figure.UNEXPLAINED, charge.id, "no procedure of its own counts for it")
            elif wrong := shows(charge, replace(filler, patient=key.patient)):
                yield Finding(Figure.UNEXPLAINED, charge.id, f"does not show {', '.join(wrong)} as stated")


def _kept(days: Sequence[PatientDay], stands: Stands) -> Iterator[Finding]:
    kept = {
        unit.charge.id: unit.charge
        for day in days
        for units in day.units.values()
        for unit in units
        if unit.charge is not None
    }
    written = {charge.id: charge for stand in stands.charges.values() for charge in stand}
    for unwritten in kept.keys() - written.keys():
        yield Finding(
            Figure.MISSING, unwritten, "stands in the ledger's state, but not in its billing events"
        )
    for charge_id, charge in written.items():
        if kept.get(charge_id) == charge or before(charge, stands.told.watermarks.get(charge.patient)):
            continue
        yield Finding(Figure.UNEXPLAINED, charge_id, "is another or absent in the ledger's state")


def _numbered(account: Account, latest: Mapping[str, Decision]) -> Iterator[Finding]:
    """Decisions of an event are numbered from one, whichever of its patients they lie under."""
    written: dict[str, Decision] = {}
    last: dict[tuple[str, str | None], int] = {}
    sequences: dict[str, list[int]] = defaultdict(list)
    causes = {(statement.event_id, statement.cause) for statement in account.statements}
    # What is decided of a command next, once it was redriven, is no repetition.
    dead = {made.id for made in account.decisions if made.outcome is Outcome.DEAD_LETTERED}
    for decision in account.decisions:
        event_id, sequence = decision.event_id, decision.sequence
        if decision.id in written:
            if written[decision.id] != decision:
                yield Finding(Figure.DOUBLED, event_id, f"has two decisions {sequence}")
            continue
        written[decision.id] = decision
        sequences[event_id].append(sequence)
        if sequence < last.get((event_id, decision.patient), 0):
            yield Finding(Figure.OUT_OF_SEQUENCE, event_id, f"has decision {sequence} after a later one")
        last[event_id, decision.patient] = sequence
        own = decision.cause == event_id and f"{event_id}#{sequence - 1}" not in dead
        again = sequence > 1 and (own or (decision.repeated and (event_id, decision.cause) in causes))
        if decision.outcome is not Outcome.EXPIRED and decision.repeated != again:
            yield Finding(Figure.UNEXPLAINED, event_id, "is not told apart from its repetition")
    for event_id, numbers in sequences.items():
        if latest[event_id].outcome is Outcome.EXPIRED:
            continue
        for expected, sequence in enumerate(sorted(numbers), start=1):
            if sequence != expected:
                what = f"has decision {sequence} instead of {expected}"
                yield Finding(Figure.OUT_OF_SEQUENCE, event_id, what)
                break


def _told(account: Account) -> Iterator[Finding]:
    told = {told for decision in account.decisions for told in decision.billing_events}
    written = {event.id for event in account.billing_events}
    for billing_event in account.billing_events:
        if billing_event.id not in told:
            yield Finding(Figure.UNEXPLAINED, billing_event.id, "no decision tells of it")
    for decision in account.decisions:
        if not written.issuperset(decision.billing_events):
            yield Finding(Figure.UNEXPLAINED, decision.event_id, "a decision tells of what was not written")


def _true(account: Account, stands: Stands, latest: Mapping[str, Decision]) -> Iterator[Finding]:
    passed_on = {record.event_id: record for record in account.procedures if isinstance(record, Decision)}
    answered = {spoken.event_id for spoken in account.commands}
    answered |= {
        record.event_id for record in account.procedures if not isinstance(record, Decision | ProcedureEvent)
    }
    refused = {
        spoken.command.item for spoken in account.commands if isinstance(spoken.command, Reject | Discard)
    }
    for event_id in {**stands.events, **passed_on}:
        if event_id not in latest:
            yield Finding(Figure.UNEXPLAINED, event_id, "has no decision")
    for event_id, decision in latest.items():
        statement, decided = stands.events.get(event_id), passed_on.get(event_id)
        if statement is not None:
            wrong = untrue(decision, statement, stands)
        elif event_id in answered:
            continue
        elif decision.outcome is Outcome.REJECTED:
            wrong = None if event_id in refused else "nobody rejected it"
        elif decision.sequence == 1 and decided is not None:
            wrong = None if decision.outcome is decided.outcome else f"intake decided {decided.outcome}"
        else:
            wrong = None if decision.outcome in AT_INTAKE else "there is no statement"
        if wrong:
            yield Finding(Figure.UNEXPLAINED, event_id, f"{decision.outcome}, but {wrong}")
