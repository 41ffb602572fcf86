"""ProcedureMessage: what a source says of one procedure, in the source's own words.

It is the documented JSON of ``lab.procedures`` and ``infusion.procedures`` and, at the same time, what a
reader of any other format fills. Nothing is resolved here: see ``models.resolve``.
"""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from models.procedures import Status, Stream

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years a time may lie in: beyond them is an error of the source, and time zones cannot be applied at all."""


def _moment(value: object) -> date | datetime:
    if isinstance(value, str):
        value = _parse(value)
    if not isinstance(value, date) or not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(
            f"a date YYYY-MM-DD or a date-time YYYY-MM-DDThh:mm[:ss[.f]][Z|+hh:mm], "
            f"from {FIRST_YEAR} to {LAST_YEAR}"
        )
    return value


def _parse(text: str) -> date | datetime | None:
    # Without the dashes pydantic would take 20250301 for seconds since 1970.
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        return datetime.fromisoformat(text) if len(text) >= 16 else None
    except ValueError:
        return None


Moment = Annotated[
    date | datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$",
        }
    ),
]
"""A date-time with an offset, a date-time without one (local), or a date without a time."""
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Id = Annotated[str, StringConstraints(strip_whitespace=True, max_length=256)]
"""Empty means absent, as null does."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class StatedPatient(_Part):
    """Who the procedure was performed on, as the source identifies the patient."""

    mrn: Id | None = Field(None, description="Medical record number. Needed.")
    assigning_authority: Id | None = Field(
        None,
        description="Who assigned it: a name or alias of the facilities file, such as UH or UH^2.16.840^ISO.",
    )


class Performed(_Part):
    """When the procedure was performed. A time without offset is local to the facility."""

    start: Moment | None = Field(None, description="Start. Its calendar date is the service date by default.")
    end: Moment | None = Field(None, description="End.")


class StatedPerformer(_Part):
    """Who performed the procedure."""

    npi: Id | None = Field(None, description="National Provider Identifier: 10 digits.")
    role: Text | None = Field(None, description="Role, in the source's words.")


class MessageIdentity(_Part):
    """Which procedure of which source a message speaks of."""

    sending_application: Id | None = Field(None, description="The sending system (MSH-3). Needed.")
    sending_facility: Id | None = Field(None, description="The facility it sends for (MSH-4). Needed.")
    message_id: Id | None = Field(
        None,
        description="Names the message (MSH-10). Needed where procedure ids are unique only within it.",
    )
    procedure_id: Id | None = Field(
        None,
        description="Names the procedure within its source, the same in every statement about it. Needed.",
    )
    patient: StatedPatient | None = Field(None, description="The patient. Needed.")


class ProcedureMessage(MessageIdentity):
    """One statement of a source about one procedure of CAR-T therapy.

    Fields that are not listed are ignored. "Needed" fields may be missing from a message that can still be
    read: it is then held for a person, with the field named.
    """

    status: Status = Field(description="What happened to the procedure. Required.")
    processing: Text | None = Field(
        None, description="P or none for production (MSH-11); anything else is a test and never charges."
    )
    sent: Moment | None = Field(
        None, description="When the message was made (MSH-7). Orders statements if the source says so."
    )
    version: int | None = Field(
        None,
        ge=0,
        lt=10**20,
        description="The source's own version of the procedure: the highest holds, if the source says so.",
    )
    recorded: Moment | None = Field(
        None, description="When the statement was recorded. Orders statements if the source says so."
    )
    facility: Id | None = Field(
        None, description="Where the procedure was performed, if not at the source's facility."
    )
    code: Id | None = Field(
        None,
        description="CPT or HCPCS code, if the source knows it. Else charge code or description must tell.",
    )
    charge_code: Id | None = Field(
        None, description="The hospital's own charge code, mapped by the facilities file."
    )
    description: Text | None = Field(
        None, description="The hospital's own text for the service, mapped by the facilities file."
    )
    stream: Stream | None = Field(
        None, description="Facility or professional billing, if the charge code or the source does not say."
    )
    performed: Performed | None = Field(
        None, description="When it was performed. Needed of a performed procedure."
    )
    account_number: Id | None = Field(None, description="Patient account (PID-18).")
    encounter_number: Id | None = Field(None, description="Visit (PV1-19).")
    patient_class: Id | None = Field(
        None, description="Inpatient, outpatient ... (PV1-2), in the source's codes."
    )
    modifiers: tuple[Id, ...] | None = Field(
        None, description="Modifiers of the code. They never buy a second unit."
    )
    revenue_code: Id | None = Field(
        None, description="Revenue code, 3 or 4 digits. Else the facility's, or the default."
    )
    performers: tuple[StatedPerformer, ...] | None = Field(None, description="Who performed it.")
    products: tuple[Id, ...] | None = Field(
        None, description="Ids of the products concerned (donation, chain of identity ...). Evidence only."
    )
    quantity: Any = Field(
        None, description="Cells, bags or units, in any form. Accepted and never used: one a day is reported."
    )


class Unreadable(ValueError):  # noqa: N818 - the word of the domain: a message that cannot be read
    """A record that cannot be read as a message.

    ``field`` names what is wrong and ``expected`` what should stand there; neither ever repeats a value.
    ``known`` is what could be read of the procedure's identity all the same, None if nothing.
    """

    def __init__(self, field: str, expected: str, known: MessageIdentity | None = None) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected
        self.known = known
