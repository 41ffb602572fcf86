"""ProcedureEvent: what a source system says of one procedure, with everything resolved at intake.

The ledger and the audit use only what stands here, so a changed facilities file cannot change the past.
"""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from models.codes import Service

SEPARATOR = "|"
"""Joins the parts of a patient, procedure or charge key. Intake refuses it inside a part."""


class Status(StrEnum):
    """What a statement says happened to the procedure. Sorted by ``RANK`` where versions are equal."""

    IN_PROGRESS = "in_progress"
    PERFORMED = "performed"
    NOT_PERFORMED = "not_performed"
    WITHDRAWN = "withdrawn"


RANK = {Status.IN_PROGRESS: 0, Status.PERFORMED: 1, Status.NOT_PERFORMED: 2, Status.WITHDRAWN: 3}
"""Of two statements with the same version the higher rank holds: what takes a charge away wins."""


class Stream(StrEnum):
    """Facility and professional billing may both report the same service of one day."""

    FACILITY = "facility"
    PROFESSIONAL = "professional"


class VersionKind(StrEnum):
    """What orders the statements about one procedure of a source. Set per source, never mixed."""

    NUMBER = "number"
    RECORDED = "recorded"
    MESSAGE_TIME = "message_time"


class Reporting(StrEnum):
    """Whether the facility reports this service on a line of its own, as settled at intake."""

    SEPARATE = "separate"
    NOT_OURS = "not_ours"
    IN_PRODUCT = "in_product"
    INPATIENT = "inpatient"


class Performer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who performed it: National Provider Identifier (10 digits) and role, as the source gave them."""

    npi: str
    role: str | None = None


class ProcedureEvent(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="procedure"
):
    """One statement of a source about one procedure, canonical and keyed by patient.

    Raises nothing by itself; decoding one with a wrong type raises ``msgspec.ValidationError``.
    """

    event_id: str
    """``topic:partition:offset:index`` of the statement in its input topic."""
    received: int
    """Milliseconds since the epoch: the source record's timestamp in Kafka."""
    source: str
    """The declared source: sending application and facility."""
    procedure_id: str
    """Names the procedure within its source."""
    patient: str
    """``authority|MRN``, both normalised: whose charge this is."""
    stated_patient: str
    """The patient the source stated. Differs from ``patient`` only after a merge."""
    version_kind: VersionKind
    version: str
    """Sorts as text within its kind: a number padded to 20 digits, or a UTC time to the microsecond."""
    status: Status
    digest: str
    """Of the clinical content as stated: message id, send time and mapped values left out."""
    settings: str
    """Digest of the facility settings that intake used."""
    message_id: str | None = None

    facility: str | None = None
    stream: Stream | None = None
    service: Service | None = None
    service_date: date | None = None
    """Calendar date of the service in the facility's time zone; None only where no charge can follow."""
    reporting: Reporting = Reporting.SEPARATE
    code: str | None = None
    """The CPT code that reports the service on its date."""
    stated_code: str | None = None
    """The code as the source gave it, where that is another one."""
    survivor: tuple[str, ...] = ()
    """Sorts, as text, whom a free unit goes to first: the survivor policy applied to this event."""

    revenue_code: str | None = None
    charge_code: str | None = None
    account_number: str | None = None
    encounter_number: str | None = None
    patient_class: str | None = None
    modifiers: tuple[str, ...] = ()
    performers: tuple[Performer, ...] = ()
    performed_start: datetime | None = None
    performed_end: datetime | None = None
    product_ids: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What intake noticed and resolved: a mapped old code, say. See ``models.billing.Warning``."""

    filing_limit: date | None = None
    """Last day on which the payer takes a claim for the service date, by the facility's settings."""
    unique: bool = True
    """The source's ids name the same procedure always, under whatever patient it was stated."""
    held_on_claim: bool = True
    """What would credit its charge once that is on a claim waits for a person: the facility's setting."""
    decided: int = 0
    """How many decisions told of it before it came to the ledger: it was held, or a dead letter."""
    because: str | None = None
    """The command that released, redrove or restated it; None where the source's own record brought it."""
    again: bool = False
    """Its record is read again, since offsets were reset: if nobody heard of it here, it was held, or none of
    ours, and nothing new may come of it."""
    follows: int = 0
    """Sent on by home: the handover of its procedure that it follows on."""
    command: str | None = None
    """Restated: id of that command."""
    restated: int = 0
    """Of the same statement the highest holds: settings were changed and applied to it. Milliseconds since
    the epoch at which a person said so."""
    counted: tuple[date | None, str | None, str | None] | None = None
    """Restated: the service date, facility and source that it was counted under when it came in."""

    @property
    def cause(self) -> str:
        """What brings about whatever follows from it."""
        return self.because or self.event_id

    @property
    def restatement(self) -> tuple[int, str]:
        """Of the same statement the highest holds: of two at the same moment that of the last command id."""
        return (self.restated, self.command or "")

    @property
    def bucket(self) -> tuple[date | None, str | None, str | None]:
        """Service date, facility and source that it is counted under: see ``models.tally``."""
        return self.counted or (self.service_date, self.facility, self.source)

    @property
    def procedure(self) -> str:
        """Key of the procedure in a patient's map: source, procedure id, stated patient."""
        return SEPARATOR.join((self.source, self.procedure_id, self.stated_patient))

    @property
    def counts(self) -> bool:
        """Performed, ours, on a line of its own: it may fill a unit."""
        return self.status is Status.PERFORMED and self.reporting is Reporting.SEPARATE

    @property
    def order(self) -> tuple[str, int, str]:
        """Statements about one procedure in ascending order: the highest holds."""
        return (self.version, RANK[self.status], self.digest)


def place(event_id: str) -> tuple[str, int, int, int]:
    """Topic, partition, offset and index that ``event_id`` names: sorts events as they lie in the logs.

    Raises ValueError if it names none.
    """
    topic, partition, offset, index = event_id.rsplit(":", 3)
    return topic, int(partition), int(offset), int(index)


encode_procedure = msgspec.json.Encoder().encode
decode_procedure = msgspec.json.Decoder(ProcedureEvent).decode
