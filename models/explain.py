"""Why an event was charged or not, in plain sentences. No patient's id stands in any of them."""

from collections.abc import Sequence

from models.billing import Acknowledged, BillingEvent, Decision, Kind, Outcome, ProcedureRef, Reason
from models.billing import Warning as Noticed
from models.codes import Service
from models.procedures import ProcedureEvent, Status, VersionKind
from models.worklist import Item
from models.worklist import Kind as Waits

SERVICES = {
    Service.COLLECTION: "collection of cells",
    Service.TRANSPORT: "preparation for transport",
    Service.RECEIPT: "receipt and preparation",
    Service.ADMINISTRATION: "administration",
}

OUTCOMES = {
    Outcome.REPORTED: "Its charge stands.",
    Outcome.ALREADY_REPORTED: "Not charged: the service is already reported for this patient and day.",
    Outcome.REPEATED: "The same was said before.",
    Outcome.SUPERSEDED: "A later statement about the same procedure holds instead.",
    Outcome.CORRECTED: "It corrects an earlier statement about the same procedure.",
    Outcome.WITHDRAWN: "Not charged: the source withdrew the procedure.",
    Outcome.NOT_PERFORMED: "Not charged: the procedure was not performed.",
    Outcome.NOT_OURS: "Not charged: it is none of the four services, or not reported here.",
    Outcome.IN_PRODUCT: "Not charged: the facility reports this service within the product's charge.",
    Outcome.INPATIENT: "Not charged: the facility does not report this service for inpatients.",
    Outcome.MOVED: "Not charged here: the procedure belongs to another patient.",
    Outcome.MERGED: "Not charged here: the patient was merged into another.",
    Outcome.EXPIRED: "Not charged: what is known of so old a day was removed.",
    Outcome.REJECTED: "Not charged: a person decided that it is not taken in.",
    Outcome.APPLIED: "It was carried out.",
    Outcome.REFUSED: "It has no effect.",
    Outcome.UNDONE: "It has no effect: a person undid it.",
    Outcome.HELD: "Held: a person must look at it.",
    Outcome.DEAD_LETTERED: "It could not be processed and lies among the dead letters.",
}

PAST = {
    Outcome.REPORTED: "Its charge stood.",
    Outcome.ALREADY_REPORTED: "Not charged: the service was already reported for this patient and day.",
    Outcome.SUPERSEDED: "A later statement about the same procedure held instead.",
    Outcome.CORRECTED: "It corrected an earlier statement about the same procedure.",
    Outcome.MOVED: "Not charged here: the procedure belonged to another patient.",
    Outcome.MERGED: "Not charged here: the patient was merged into another.",
    Outcome.HELD: "Held: a person had to look at it.",
    Outcome.DEAD_LETTERED: "It could not be processed and lay among the dead letters.",
}
"""Of outcomes that are no longer true, where ``OUTCOMES`` speaks of what stands."""

REASONS = {
    Reason.FIRST_OF_DAY: "It was the first of its service on that day that came in.",
    Reason.PROMOTED: "It took the place of a procedure that no longer counts.",
    Reason.CONTENT_CORRECTED: "A correction changed what was said of the procedure.",
    Reason.KEY_CORRECTED: "A correction moved the procedure to another day, service or stream.",
    Reason.FILLER_WITHDRAWN: "The procedure that was charged no longer counts.",
    Reason.IN_PROGRESS: "It had begun and was not completed.",
    Reason.TEST_MESSAGE: "It was sent as a test.",
    Reason.NOT_A_CART_SERVICE: "Its code is none of the four services'.",
    Reason.UNKNOWN_SOURCE: "The sending system is not in the facilities file.",
    Reason.UNKNOWN_FACILITY: "The facility is not in the facilities file.",
    Reason.UNKNOWN_AUTHORITY: "Who assigned the record number is not in the facilities file.",
    Reason.NO_MRN: "The patient's record number is missing.",
    Reason.NO_PROCEDURE_ID: "Nothing names the procedure reliably.",
    Reason.NO_VERSION: "Nothing says which statement about the procedure is the latest.",
    Reason.NO_STREAM: "Nothing says whether it is facility or professional billing.",
    Reason.NO_SERVICE_DATE: "The service date is missing.",
    Reason.NO_CODE_ON_DATE: "No code reports the service on that date.",
    Reason.UNMAPPED_CODE: "Neither code, charge code nor text says which service it is.",
    Reason.CONFLICTING_CODES: "Code and charge code name different services.",
    Reason.BAD_REVENUE_CODE: "The revenue code is none.",
    Reason.BEFORE_GO_LIVE: "The service date is before the facility began to report here.",
    Reason.OUTSIDE_SETTINGS: "No dated settings of the facility cover the service date.",
    Reason.UNREADABLE: "It could not be read.",
    Reason.RULE_FAILED: "The rule failed on it: a defect, to be redriven after its repair.",
    Reason.ON_CLAIM: "It would credit a charge that is on a claim.",
    Reason.OPENING_BALANCE: "The system in use before go-live charged the unit.",
    Reason.OVERRIDE: "A person allowed a further unit, or took that back.",
    Reason.MOVED_TO_PATIENT: "By a higher statement a procedure is another patient's, or this one's again.",
    Reason.PATIENT_MERGED: "The patient was merged into another, or that was undone.",
    Reason.REJECTED_BY_PERSON: "A person rejected it.",
    Reason.ALREADY_DONE: "Another command dealt with what it names before.",
    Reason.SUPERSEDED: "What it names waits no longer, or no longer holds: nothing was changed.",
    Reason.ALREADY_TAKEN_BACK: "The unit was taken back before.",
    Reason.ALREADY_UNDONE: "The merge was undone before.",
    Reason.NEVER_MERGED: "The merge was refused: there is nothing to undo.",
    Reason.NO_LONGER_KEPT: "What is known of so old a day was removed, and nothing of it is changed.",
    Reason.UNKNOWN_ITEM: "Nothing of the name it gives is on the worklist.",
    Reason.AWAITED: "Other ledgers wait for this record: it can only be redriven.",
    Reason.STILL_HELD: "What it names still does not resolve, and stays where it is.",
    Reason.UNKNOWN_CHARGE: "No charge of this patient ever had that id.",
    Reason.WOULD_CYCLE: "The surviving patient was merged into the losing one.",
    Reason.ALREADY_MERGED: "The losing patient was merged into another one before.",
}

WARNINGS = {
    Noticed.CODE_MAPPED: "The code stated was not the one in force on the service date.",
    Noticed.ACROSS_FACILITIES: "The procedure that was charged was performed at another facility.",
    Noticed.STANDING_CHARGE: "A charge of the same procedure stands meanwhile.",
    Noticed.PERFORMER_LEFT_OUT: "A performer without a valid NPI was left out.",
    Noticed.FUTURE_SERVICE_DATE: "It was received before its service date.",
    Noticed.LATE: "It was received late.",
    Noticed.PAST_FILING_LIMIT: "It was received after the filing limit.",
    Noticed.RECEIPT_TWICE: "The product's receipt and preparation counts on another date, too.",
    Noticed.ADJACENT_DAYS: "The same service of the same product counts on the day before or after, too.",
    Noticed.NO_RECEIPT: "Nothing was known of the receipt of the product that was given.",
}

WAYS = {
    Waits.CORRECTION: "Release applies the correction, reject leaves the charge as it is.",
    Waits.CLAIMED: "Release leaves the credit, reject brings the charge back.",
}
"""What a person can do about items that nothing is missing of."""


ACKNOWLEDGED = {
    None: "Billing has not acknowledged it.",
    Acknowledged.ACCEPTED: "Billing accepted it.",
    Acknowledged.ON_CLAIM: "It is on a claim.",
    Acknowledged.REFUSED: "Billing refused it.",
}

STATUSES = {
    Status.IN_PROGRESS: "begun, not completed",
    Status.PERFORMED: "performed",
    Status.NOT_PERFORMED: "not performed",
    Status.WITHDRAWN: "withdrawn",
}


def explain(decision: Decision, *, warnings: bool = True, past: bool = False) -> list[str]:
    """The sentences that say what became of the event, the most important first, warnings last.

    ``past``: a later decision about the event holds.
    """
    said = [(past and PAST.get(decision.outcome)) or OUTCOMES[decision.outcome]]
    if decision.covered_by is not None:
        said.append(f"What {'was' if past else 'is'} charged is {procedure(decision.covered_by)}.")
    if decision.reason is not None:
        said.append(REASONS[decision.reason])
    if decision.of not in (None, decision.event_id):
        said.append(f"See {decision.of}.")
    if decision.field is not None and decision.detail is not None:
        said.append(f"{decision.field}: expected {decision.detail}.")
    if decision.repeated:
        said.append("Its record was delivered again; nothing was charged for it anew.")
    if decision.cause not in (decision.event_id, decision.of):
        said.append(f"Brought about by {decision.cause}.")
    if warnings:
        said += [f"Warning: {WARNINGS[Noticed(warning)]}" for warning in decision.warnings]
    return said


def version(statement: ProcedureEvent) -> str:
    """What orders a statement among those about its procedure."""
    match statement.version_kind:
        case VersionKind.NUMBER:
            return f"version {int(statement.version)}"
        case VersionKind.RECORDED:
            return f"recorded {statement.version}"
        case VersionKind.MESSAGE_TIME:
            return f"sent {statement.version}"


def rank(statement: ProcedureEvent, holder: ProcedureEvent) -> str:
    """Why ``statement`` holds of its procedure, or why ``holder`` does instead."""
    if statement.event_id == holder.event_id:
        return f"It holds: {version(statement)} is the highest."
    if statement.version != holder.version:
        return f"It does not hold: {version(holder)} is higher than {version(statement)}."
    if statement.status is not holder.status:
        held, said = STATUSES[holder.status], STATUSES[statement.status]
        return f'It does not hold: of the same version, "{held}" goes before "{said}".'
    return "It does not hold: another of the same version does, the same one in whatever order they come."


def charged(acknowledged: Sequence[Acknowledged | None], more: int) -> str:
    """What is charged of one service on one day: ``acknowledged`` as billing said of each charge.

    ``more`` procedures count for it, too, and are not charged.
    """
    said = "Charged once."
    if len(acknowledged) > 1:
        said = f"Charged {len(acknowledged)} times: a person allowed more than one unit."
    if more:
        also = "Another procedure counts" if more == 1 else f"{more} other procedures count"
        said += f" {also} for it and {'is' if more == 1 else 'are'} not charged: once a day."
    return " ".join([said, *(ACKNOWLEDGED[each] for each in dict.fromkeys(acknowledged))])


def subject(decision: Decision | ProcedureEvent) -> str:
    """What the event is about, as far as it is known."""
    service = SERVICES[decision.service] if decision.service else None
    on = f"on {decision.service_date}" if decision.service_date else None
    by = f"{decision.stream} billing" if decision.stream else None
    known = (service, decision.code, on, decision.facility and f"at {decision.facility}", by)
    acts = (Outcome.APPLIED, Outcome.REFUSED, Outcome.UNDONE)
    decided = isinstance(decision, Decision) and decision.outcome in acts
    unknown = "a command or an acknowledgement" if decided else "a procedure of which little is known"
    return ", ".join(filter(None, known)) or unknown


def line(event: BillingEvent) -> str:
    """A charge or credit in one line. Why it was made is in ``REASONS``."""
    sign = "charge" if event.kind is Kind.CHARGE else "credit"
    where = f"{event.facility}, {event.stream} billing, revenue code {event.revenue_code}"
    what = f"{sign} {event.code} {SERVICES[event.service]} on {event.service_date}"
    return f"{what} at {where}: {procedure(event.procedure)}"


def releases(item: Item) -> str:
    """What would release an item of the worklist, or what else is to be done about it."""
    if item.kind in WAYS:
        return WAYS[item.kind]
    if item.field is not None and item.detail is not None:
        return f"{item.field}: expected {item.detail}"
    if item.reason is not None:
        return REASONS[item.reason]
    return item.detail or "A person must look at it."


def procedure(ref: ProcedureRef) -> str:
    """A procedure by source and id."""
    return f"procedure {ref.procedure_id} of {ref.source}"


def equation(in_flight: int, *, closes: bool) -> str:
    """Whether all that came in has an outcome. Below zero: more was decided than came in. ``closes``: so is
    it with every part of what this is the sum of."""
    if not in_flight:
        if not closes:
            return "It does not close: a surplus of one source hides what another lacks."
        return "It closes: each event that came in has one outcome."
    if in_flight > 0:
        number = "1 event is" if in_flight == 1 else f"{in_flight:,} events are"
        return f"It does not close: {number} in flight, with no outcome yet."
    return f"It does not close: {-in_flight:,} more decided than came in."
