"""Commands: what a person decides, as JSON on ``perdiem.commands``. Each says who, when and why.

A command is idempotent by its id: sent again, by whatever accident, it changes nothing.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from models.codes import Service
from models.procedures import Stream

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name = Field(description="Names the command; the same id again is the same command.")
    user: Name = Field(description="Who decides.")
    time: AwareDatetime = Field(description="When, with offset.")
    reason: Why = Field(description="Why.")


class Release(_Command):
    """Take in what is held, with what was missing filled in; or apply a held correction."""

    command: Literal["release"] = "release"
    item: Name = Field(description="Id on the worklist: that of the held event, say.")
    fill: dict[str, Any] = Field(
        {}, description="Fields of the message, as the source should have stated them: they replace its own."
    )


class Reject(_Command):
    """What is held is not taken in, a held correction not applied; anything else is dealt with."""

    command: Literal["reject"] = "reject"
    item: Name = Field(description="Id on the worklist.")


class Redrive(_Command):
    """Take in a dead letter: as it is, after a repair of ours, or corrected."""

    command: Literal["redrive"] = "redrive"
    item: Name = Field(description="Id of the event that became a dead letter.")
    value: Base64Bytes | None = Field(
        None, description="The record as it should have been, in base64; none: as it is."
    )


class Discard(_Command):
    """A dead letter is not worth redriving."""

    command: Literal["discard"] = "discard"
    item: Name = Field(description="Id of the event that became a dead letter.")


class _Unit(_Command):
    patient: Name = Field(description="AUTHORITY|MRN, in any spelling that the facilities file knows.")
    stream: Stream
    service: Service
    service_date: date


class AllowUnit(_Unit):
    """Allow one unit more than one: an appeal with records, never a modifier."""

    command: Literal["allow_unit"] = "allow_unit"


class TakeBackUnit(_Unit):
    """Take back what another command allowed."""

    command: Literal["take_back_unit"] = "take_back_unit"
    allowed_by: Name = Field(description="Id of the command that allowed it.")


class OpeningBalance(_Unit):
    """The system in use before go-live charged a unit."""

    command: Literal["opening_balance"] = "opening_balance"


class Merge(_Command):
    """Two patients are the same: the losing one's charges are the surviving one's."""

    command: Literal["merge"] = "merge"
    losing: Name = Field(description="AUTHORITY|MRN that is no longer used (MRG-1).")
    surviving: Name = Field(description="AUTHORITY|MRN that stays (PID-3).")


class UndoMerge(_Command):
    """Two patients are not the same after all."""

    command: Literal["undo_merge"] = "undo_merge"
    merge: Name = Field(description="Id of the merge.")
    losing: Name
    surviving: Name


class Forget(_Command):
    """What is known of a patient's days before a date is removed, and nothing of them charged again."""

    command: Literal["forget"] = "forget"
    patient: Name
    before: date


class Restate(_Command):
    """A statement as changed settings resolve it, to take the place of what former settings made of it."""

    command: Literal["restate"] = "restate"
    statement: dict[str, Any] = Field(description="The ProcedureEvent.")


Command = (
    Release
    | Reject
    | Redrive
    | Discard
    | AllowUnit
    | TakeBackUnit
    | OpeningBalance
    | Merge
    | UndoMerge
    | Forget
    | Restate
)
command: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])
"""Reads a command; raises pydantic's ``ValidationError``."""
