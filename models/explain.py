"""Why an event was charged or not, in plain sentences. No patient's id stands in any of them."""

from models.billing import BillingEvent, Decision, Kind, Outcome, ProcedureRef, Reason
from models.billing import Warning as Noticed
from models.codes import Service

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
    Outcome.HELD: "Held: a person must look at it.",
    Outcome.DEAD_LETTERED: "It could not be processed and lies among the dead letters.",
}

PAST = {
    Outcome.REPORTED: "Its charge stood.",
    Outcome.ALREADY_REPORTED: "Not charged: the service was already reported for this patient and day.",
    Outcome.SUPERSEDED: "A later statement about the same procedure held instead.",
    Outcome.CORRECTED: "It corrected an earlier statement about the same procedure.",
    Outcome.HELD: "Held: a person had to look at it.",
}
"""Of outcomes that are no longer true, where ``OUTCOMES`` speaks of what stands."""

REASONS = {
    Reason.FIRST_OF_DAY: "It was the first of its service on that day.",
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
}

WARNINGS = {
    Noticed.CODE_MAPPED: "The code stated was not the one in force on the service date.",
    Noticed.ACROSS_FACILITIES: "The procedure that was charged was performed at another facility.",
    Noticed.STANDING_CHARGE: "A charge of the same procedure stands meanwhile.",
    Noticed.PERFORMER_LEFT_OUT: "A performer without a valid NPI was left out.",
    Noticed.FUTURE_SERVICE_DATE: "It was received before its service date.",
    Noticed.LATE: "It was received late.",
    Noticed.PAST_FILING_LIMIT: "It was received after the filing limit.",
}


def explain(decision: Decision, *, warnings: bool = True, past: bool = False) -> list[str]:
    """The sentences that say what became of the event, the most important first, warnings last.

    ``past``: a later decision about the event holds.
    """
    said = [(past and PAST.get(decision.outcome)) or OUTCOMES[decision.outcome]]
    if decision.covered_by is not None:
        said.append(f"What {'was' if past else 'is'} charged is {procedure(decision.covered_by)}.")
    if decision.of not in (None, decision.event_id):
        said.append(f"See {decision.of}.")
    if decision.reason is not None:
        said.append(REASONS[decision.reason])
    if decision.field is not None and decision.detail is not None:
        said.append(f"{decision.field}: expected {decision.detail}.")
    if decision.repeated:
        said.append("Its record was delivered again; nothing was charged for it anew.")
    if decision.cause not in (decision.event_id, decision.of):
        said.append(f"Brought about by {decision.cause}.")
    if warnings:
        said += [f"Warning: {WARNINGS[Noticed(warning)]}" for warning in decision.warnings]
    return said


def subject(decision: Decision) -> str:
    """What the event is about, as far as it is known."""
    service = SERVICES[decision.service] if decision.service else None
    on = f"on {decision.service_date}" if decision.service_date else None
    by = f"{decision.stream} billing" if decision.stream else None
    known = (service, decision.code, on, decision.facility and f"at {decision.facility}", by)
    return ", ".join(filter(None, known)) or "a procedure of which little is known"


def line(event: BillingEvent) -> str:
    """A charge or credit in one line. Why it was made is in ``REASONS``."""
    sign = "charge" if event.kind is Kind.CHARGE else "credit"
    where = f"{event.facility}, {event.stream} billing, revenue code {event.revenue_code}"
    what = f"{sign} {event.code} {SERVICES[event.service]} on {event.service_date}"
    return f"{what} at {where}: {procedure(event.procedure)}"


def procedure(ref: ProcedureRef) -> str:
    """A procedure by source and id."""
    return f"procedure {ref.procedure_id} of {ref.source}"
