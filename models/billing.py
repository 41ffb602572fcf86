"""What comes out: billing events, and one decision or more for every procedure event."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from models.codes import Service
from models.procedures import Performer, ProcedureEvent, Stream


class Kind(StrEnum):
    CHARGE = "charge"
    CREDIT = "credit"


class Acknowledged(StrEnum):
    """What billing did with a charge."""

    ACCEPTED = "accepted"
    ON_CLAIM = "on_claim"
    REFUSED = "refused"


class Outcome(StrEnum):
    """What became of a procedure event."""

    REPORTED = "reported"
    """It fills a unit: its charge stands."""
    ALREADY_REPORTED = "already_reported"
    """It counts, but another procedure fills the unit of this patient, service and day."""
    REPEATED = "repeated"
    """The same statement was seen before."""
    SUPERSEDED = "superseded"
    """A higher statement about the same procedure holds."""
    CORRECTED = "corrected"
    """It replaced an earlier statement that counted, and counts itself."""
    WITHDRAWN = "withdrawn"
    NOT_PERFORMED = "not_performed"
    NOT_OURS = "not_ours"
    """Not one of the four services, or a test message."""
    IN_PRODUCT = "in_product"
    """The facility reports this service within the product's charge."""
    INPATIENT = "inpatient"
    """The facility does not report this service for inpatients."""
    MOVED = "moved"
    """Another patient has a higher statement of the same procedure."""
    MERGED = "merged"
    """It is handed to the patient that this one was merged into, or back: see the decision after it."""
    EXPIRED = "expired"
    """Its service date is no longer kept, and never charged."""
    REJECTED = "rejected"
    """A person decided that it is not taken in."""
    APPLIED = "applied"
    """A person's command or an acknowledgement, that had its effect."""
    REFUSED = "refused"
    """A person's command or an acknowledgement, that can have none; the reason says why."""
    UNDONE = "undone"
    """A merge that a person undid."""
    HELD = "held"
    """A person must decide or fill something in."""
    DEAD_LETTERED = "dead_lettered"
    """It could not be read."""


class Reason(StrEnum):
    """Why: the detail behind an outcome, or behind a billing event."""

    FIRST_OF_DAY = "first_of_day"
    PROMOTED = "promoted"
    """The procedure that filled the unit no longer does; this one was next."""
    CONTENT_CORRECTED = "content_corrected"
    KEY_CORRECTED = "key_corrected"
    """The correction moved the procedure to another date, service or stream."""
    FILLER_WITHDRAWN = "filler_withdrawn"
    """The procedure that filled the unit no longer counts."""
    IN_PROGRESS = "in_progress"
    TEST_MESSAGE = "test_message"
    NOT_A_CART_SERVICE = "not_a_cart_service"
    UNKNOWN_SOURCE = "unknown_source"
    UNKNOWN_FACILITY = "unknown_facility"
    UNKNOWN_AUTHORITY = "unknown_authority"
    NO_MRN = "no_mrn"
    NO_PROCEDURE_ID = "no_procedure_id"
    NO_VERSION = "no_version"
    NO_STREAM = "no_stream"
    NO_SERVICE_DATE = "no_service_date"
    NO_CODE_ON_DATE = "no_code_on_date"
    UNMAPPED_CODE = "unmapped_code"
    CONFLICTING_CODES = "conflicting_codes"
    BAD_REVENUE_CODE = "bad_revenue_code"
    BEFORE_GO_LIVE = "before_go_live"
    OUTSIDE_SETTINGS = "outside_settings"
    """No dated settings of the facility cover the service date."""
    UNREADABLE = "unreadable"
    RULE_FAILED = "rule_failed"
    ON_CLAIM = "on_claim"
    """It would credit a charge that is on a claim."""
    OPENING_BALANCE = "opening_balance"
    """The system in use before go-live charged the unit."""
    OVERRIDE = "override"
    """A person allowed a further unit, or took that back."""
    MOVED_TO_PATIENT = "moved_to_patient"
    """A higher statement says that a procedure was another patient's, or is this one's again."""
    PATIENT_MERGED = "patient_merged"
    """The patient was merged into another, or that was undone."""
    REJECTED_BY_PERSON = "rejected_by_person"
    ALREADY_DONE = "already_done"
    """Of a command on the worklist: what it names was released, rejected, redriven or discarded before."""
    SUPERSEDED = "superseded"
    """Of a ruling: what it names waits no longer, or no longer holds; nothing was changed."""
    ALREADY_TAKEN_BACK = "already_taken_back"
    """Of a command on a unit: another one took the unit back before."""
    ALREADY_UNDONE = "already_undone"
    """Of the undoing of a merge: another one undid it before."""
    NEVER_MERGED = "never_merged"
    """Of the undoing of a merge: that one was refused, and there is nothing to undo."""
    NO_LONGER_KEPT = "no_longer_kept"
    """Of a command: its service date is before the patient's watermark."""
    UNKNOWN_ITEM = "unknown_item"
    """Of a command: nothing of the name it gives is on the worklist."""
    AWAITED = "awaited"
    """Of a discard: other patients' ledgers wait for the record, it can only be redriven."""
    STILL_HELD = "still_held"
    """Of a release or a redrive: what it names still does not resolve, and stays."""
    UNKNOWN_CHARGE = "unknown_charge"
    """Of an acknowledgement: no charge of this patient ever had that id."""
    WOULD_CYCLE = "would_cycle"
    """Of a merge: the surviving patient was merged into the losing one."""
    ALREADY_MERGED = "already_merged"
    """Of a merge: the losing patient was merged into another one before."""


class Warning(StrEnum):  # noqa: A001 - the design's word; nothing here raises Python warnings
    """What a person may want to look at. A warning never blocks."""

    CODE_MAPPED = "code_mapped"
    """The code stated was not the one in force on the service date."""
    ACROSS_FACILITIES = "across_facilities"
    """The procedure that fills the unit was performed at another facility."""
    STANDING_CHARGE = "standing_charge"
    """Held or dead-lettered, while a charge of the same procedure stands."""
    PERFORMER_LEFT_OUT = "performer_left_out"
    """A performer was stated without a National Provider Identifier of 10 digits."""
    FUTURE_SERVICE_DATE = "future_service_date"
    """It was received before its service date."""
    LATE = "late"
    """It was received more days after its service date than the facility allows."""
    PAST_FILING_LIMIT = "past_filing_limit"
    """It was received after the filing limit of its service date."""
    RECEIPT_TWICE = "receipt_twice"
    """The product was received and prepared on another date, too: 38227 is both, often on two days."""
    ADJACENT_DAYS = "adjacent_days"
    """The same service of the same product counts on the day before or after, too."""
    NO_RECEIPT = "no_receipt"
    """The product was given, and nothing is known of its receipt and preparation."""


class ProcedureRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """Names a procedure without its patient."""

    source: str
    procedure_id: str
    facility: str | None = None


class BillingEvent(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="billing_event"
):
    """A charge, or the credit that takes one back: a copy of it but for kind, ids, sequence and reason.

    For one (key, unit) charges and credits alternate: odd sequences are charges, even ones credits.
    """

    kind: Kind
    id: str
    """Deterministic: the same charge has the same id however often it is computed."""
    charge_id: str
    """The id of the charge; a credit carries that of the charge it takes back."""
    reverses: str | None = None
    """On a credit: the id of the charge."""
    unit: int
    sequence: int
    units: int = msgspec.field(default_factory=lambda: 1)
    """Always 1, and always written."""
    patient: str
    facility: str
    stream: Stream
    service: Service
    service_date: date
    code_system: str = msgspec.field(default_factory=lambda: "CPT")
    code: str
    modifiers: tuple[str, ...] = ()
    revenue_code: str
    charge_code: str | None = None
    account_number: str | None = None
    encounter_number: str | None = None
    patient_class: str | None = None
    performers: tuple[Performer, ...] = ()
    performed_start: datetime | None = None
    performed_end: datetime | None = None
    product_ids: tuple[str, ...] = ()
    procedure: ProcedureRef
    """The procedure that fills the unit."""
    covers: tuple[ProcedureRef, ...] = ()
    """Others that counted for the same unit when the charge was made."""
    event_id: str
    """The procedure event whose statement the charge shows."""
    cause: str
    """The procedure event whose arrival brought this billing event about."""
    reason: Reason


class Decision(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="decision"
):
    """What became of one procedure event, and why. The one with the highest sequence is true now."""

    event_id: str
    sequence: int
    cause: str
    """The procedure event that brought this decision about: its own, or for a follow-up a later one."""
    outcome: Outcome
    reason: Reason | None = None
    field: str | None = None
    """Held or dead-lettered: which field."""
    detail: str | None = None
    """Held or dead-lettered: what was expected. Never a value that the source sent."""
    of: str | None = None
    """Repeated or superseded: the event that holds instead. Of a command that is refused or undone: the one
    that did it before."""
    covered_by: ProcedureRef | None = None
    """Already reported: the procedure that fills the unit."""
    charge_id: str | None = None
    """The standing charge that shows this event's statement."""
    unit: int | None = None
    billing_events: tuple[str, ...] = ()
    """Ids of the billing events written with this decision because of its own procedure."""
    source: str | None = None
    procedure_id: str | None = None
    patient: str | None = None
    facility: str | None = None
    stream: Stream | None = None
    service: Service | None = None
    service_date: date | None = None
    code: str | None = None
    received: int | None = None
    warnings: tuple[str, ...] = ()
    filing_limit: date | None = None
    """Last day on which the payer takes a claim for the service date: so many days from ``received``."""
    settings: str | None = None
    repeated: bool = False
    """Its event was delivered again, after a reset of offsets say: this tells once more what is true of it,
    and nothing was charged for it anew."""

    @property
    def id(self) -> str:
        """Deterministic id of the decision: event id and sequence."""
        return f"{self.event_id}#{self.sequence}"


encode_billing_event = msgspec.json.Encoder().encode
decode_billing_event = msgspec.json.Decoder(BillingEvent).decode
encode_decision = msgspec.json.Encoder().encode
decode_decision = msgspec.json.Decoder(Decision).decode
decode_procedure_or_decision = msgspec.json.Decoder(ProcedureEvent | Decision).decode
"""Of what intake sends to the ledger."""
