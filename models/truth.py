"""Whether the latest decision about a statement is true of what stands."""

from collections.abc import Mapping
from typing import NamedTuple

from models.billing import BillingEvent, Decision, Outcome, Reason
from models.entries import item_of
from models.history import content
from models.procedures import ProcedureEvent, Status
from models.rulings import on_claim
from models.standing import Key, Should
from models.told import Told


class Stands(NamedTuple):
    """What was told, what should be, and what is."""

    told: Told
    should: Should
    events: Mapping[str, ProcedureEvent]
    """Every statement by its event id, as it was first told."""
    charges: Mapping[Key, list[BillingEvent]]
    """Those that stand, by key."""

    def procedure_of(self, charge: BillingEvent) -> str | None:
        """Key of the procedure that a charge is of."""
        statement = self.events.get(charge.event_id)
        return statement.procedure if statement else None


def untrue(decision: Decision, statement: ProcedureEvent, stands: Stands) -> str | None:
    """Why the latest decision about ``statement`` is not true of what stands; None if it is."""
    told, should = stands.told, stands.should
    outcome = decision.outcome
    patient = should.whose.get(statement.procedure, statement.patient)
    if outcome is Outcome.EXPIRED:
        expired = statement.procedure in should.expired and decision.charge_id is None
        return None if expired else "everything of its procedure is still kept"
    if forgotten(statement, stands):
        return None
    if outcome in (Outcome.REPEATED, Outcome.SUPERSEDED):
        return _other_holds(decision, statement, stands)
    if item_of(statement) in told.rejected:
        return None if outcome is Outcome.REJECTED and not decision.charge_id else "it was ruled against"
    if item_of(statement) in told.parked:
        return None if on_claim(decision) and not decision.charge_id else "it waits for a ruling"
    if should.holds[statement.procedure].event_id != statement.event_id:
        return "another statement holds"
    statement = should.holds[statement.procedure]
    if statement.procedure in should.moved:
        right = outcome is Outcome.MOVED or (not statement.counts and outcome is expected_outcome(statement))
        return None if right and decision.charge_id is None else "another patient has a higher statement"
    if not statement.counts:
        right = outcome is expected_outcome(statement) and decision.charge_id is None
        return None if right else f"it is {expected_outcome(statement)}"
    if decision.patient not in (None, patient):
        return "it counts for another patient"
    return _fills(decision, statement, Key.of(statement, patient), stands)


def forgotten(statement: ProcedureEvent, stands: Stands) -> bool:
    """Whether something of its procedure is no longer kept, so that nobody can tell what holds."""
    should = stands.should
    patient = should.whose.get(statement.procedure, statement.patient)
    return statement.procedure in should.expired or Key.of(statement, patient) in should.forgotten


def _other_holds(decision: Decision, statement: ProcedureEvent, stands: Stands) -> str | None:
    other = stands.events.get(decision.of or "")
    if other is None or other.procedure != statement.procedure:
        return "names no event of its procedure"
    own = content(statement)
    if decision.outcome is Outcome.REPEATED:
        return None if content(other) == own else "the event it names says something else"
    history = stands.should.said.get(statement.procedure, {})
    if content(other) not in history or own not in history:
        return "one of the two has no effect"
    return None if history[content(other)].order > history[own].order else "what it names is not higher"


def _fills(decision: Decision, statement: ProcedureEvent, key: Key | None, stands: Stands) -> str | None:
    """What is wrong with the decision about a procedure that counts."""
    stand = stands.charges.get(key, []) if key else []
    charge = next((one for one in stand if stands.procedure_of(one) == statement.procedure), None)
    if charge is not None:
        right = decision.outcome in (Outcome.REPORTED, Outcome.CORRECTED)
        named = (decision.charge_id, decision.unit) == (charge.charge_id, charge.unit)
        return None if right and named else "its charge stands, and is another or not named"
    if decision.outcome not in (Outcome.ALREADY_REPORTED, Outcome.CORRECTED) or decision.charge_id:
        return "no charge of it stands, though it counts"
    covering = decision.covered_by
    if covering is None:
        opened = key is not None and stands.should.openings.get(key, 0) > 0
        if opened and decision.reason is Reason.OPENING_BALANCE:
            return None
    elif any(
        (covering.source, covering.procedure_id) == (one.procedure.source, one.procedure.procedure_id)
        for one in stand
    ):
        return None
    return "what it names does not fill a unit"


def expected_outcome(statement: ProcedureEvent) -> Outcome:
    """The outcome of a statement that holds and does not count."""
    if statement.status is Status.WITHDRAWN:
        return Outcome.WITHDRAWN
    if statement.status is not Status.PERFORMED:
        return Outcome.NOT_PERFORMED
    return Outcome(statement.reporting)
