"""Truth: what is true of one procedure event now, and the decision that says so."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from models.billing import Decision, Outcome, ProcedureRef, Reason, Warning  # noqa: A004
from models.procedures import ProcedureEvent, Status

OUTCOME_OF_STATUS = {
    Status.IN_PROGRESS: Outcome.NOT_PERFORMED,
    Status.NOT_PERFORMED: Outcome.NOT_PERFORMED,
    Status.WITHDRAWN: Outcome.WITHDRAWN,
}
ABOUT = ("facility", "stream", "service", "service_date", "code")
"""What a withdrawal may leave open, and its decision takes from what was said of the procedure before."""
_about = attrgetter(*ABOUT)


class Truth(NamedTuple):
    """What a decision says of its event. When it changes, a follow-up decision says so."""

    outcome: Outcome
    reason: Reason | None = None
    of: str | None = None
    covered_by: ProcedureRef | None = None
    charge_id: str | None = None
    unit: int | None = None


def not_counting(event: ProcedureEvent) -> Truth:
    """The truth of a highest statement that does not count: its status says why, else how it is reported."""
    outcome = OUTCOME_OF_STATUS.get(event.status)
    if outcome is not None:
        return Truth(outcome, Reason.IN_PROGRESS if event.status is Status.IN_PROGRESS else None)
    outcome = Outcome(event.reporting)
    foreign = outcome is Outcome.NOT_OURS and event.service is None
    return Truth(outcome, Reason.NOT_A_CART_SERVICE if foreign else None)


def decision(
    event: ProcedureEvent,
    sequence: int,
    cause: str,
    truth: Truth,
    billing_events: tuple[str, ...] = (),
    known: Sequence[ProcedureEvent] = (),
    *,
    noticed: Iterable[str] = (),
    repeated: bool = False,
) -> Decision:
    """The decision number ``sequence`` about ``event``.

    ``known``: other statements about its procedure, from which what a withdrawal leaves open is taken.
    ``noticed``: warnings beside those of intake.
    """
    about = _about(event)
    if None in about and event.status is not Status.PERFORMED:
        stated = zip(about, *map(_about, known), strict=True)
        about = tuple(next((value for value in values if value is not None), None) for values in stated)
    facility, stream, service, service_date, code = about
    warnings = (*event.warnings, *noticed)
    if truth.covered_by is not None and truth.covered_by.facility != event.facility:
        warnings = (*warnings, Warning.ACROSS_FACILITIES)
    return Decision(
        event_id=event.event_id,
        sequence=sequence,
        cause=cause,
        outcome=truth.outcome,
        reason=truth.reason,
        of=truth.of,
        covered_by=truth.covered_by,
        charge_id=truth.charge_id,
        unit=truth.unit,
        billing_events=billing_events,
        source=event.source,
        procedure_id=event.procedure_id,
        patient=event.patient,
        facility=facility,
        stream=stream,
        service=service,
        service_date=service_date,
        code=code,
        received=event.received,
        warnings=warnings,
        filing_limit=event.filing_limit,
        settings=event.settings,
        repeated=repeated,
    )
