"""Whether the latest decision about a statement is true of what stands."""

from collections.abc import Mapping

from models.billing import BillingEvent, Decision, Outcome
from models.procedures import ProcedureEvent, Status
from models.standing import History, Key, content, highest


def untrue(
    decision: Decision,
    statement: ProcedureEvent,
    history: History,
    events: Mapping[str, ProcedureEvent | Decision],
    charges: Mapping[Key, list[BillingEvent]],
) -> str | None:
    """Why the latest decision about ``statement`` is not true of what stands; None if it is."""
    own = content(statement)
    if decision.outcome in (Outcome.REPEATED, Outcome.SUPERSEDED):
        other = events.get(decision.of or "")
        if not isinstance(other, ProcedureEvent) or other.procedure != statement.procedure:
            return "names no event of its procedure"
        if decision.outcome is Outcome.REPEATED:
            return None if content(other) == own else "the event it names says something else"
        return None if history[content(other)].order > history[own].order else "what it names is not higher"

    holder = highest(history)
    if holder.event_id != statement.event_id:
        return "another statement holds"
    if not statement.counts:
        outcome = expected_outcome(statement)
        return None if decision.outcome is outcome and decision.charge_id is None else f"it is {outcome}"
    key = Key.of(statement)
    stand = charges.get(key, []) if key else []
    fillers = {(charge.procedure.source, charge.procedure.procedure_id): charge for charge in stand}
    charge = fillers.get((statement.source, statement.procedure_id))
    if charge is not None:
        right = decision.outcome in (Outcome.REPORTED, Outcome.CORRECTED)
        named = (decision.charge_id, decision.unit) == (charge.charge_id, charge.unit)
        return None if right and named else "its charge stands, and is another or not named"
    if decision.outcome not in (Outcome.ALREADY_REPORTED, Outcome.CORRECTED) or decision.charge_id:
        return "no charge of it stands, though it counts"
    covering = decision.covered_by
    if covering is None or (covering.source, covering.procedure_id) not in fillers:
        return "what it names does not fill a unit"
    return None


def expected_outcome(statement: ProcedureEvent) -> Outcome:
    """The outcome of a statement that holds and does not count."""
    if statement.status is Status.WITHDRAWN:
        return Outcome.WITHDRAWN
    if statement.status is not Status.PERFORMED:
        return Outcome.NOT_PERFORMED
    return Outcome(statement.reporting)
