"""``perdiem override``: a unit more than one, allowed by a person."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from models.codes import Service
from models.procedures import Stream
from streams.cli import app
from streams.cli.acting import act, confirm, signed
from streams.cli.options import WAIT, User, Wait, Why, Yes

if TYPE_CHECKING:
    from models.commands import AllowUnit, TakeBackUnit

override = typer.Typer(
    help="A unit more than one for a patient, service and day: an appeal with records.",
    no_args_is_help=True,
)
app.add_typer(override, name="override")


@override.command()
def allow(
    patient: Annotated[str, typer.Argument(help="AUTHORITY|MRN, in any spelling of the facilities file.")],
    stream: Annotated[Stream, typer.Option(help="Whose billing.")],
    service: Annotated[Service, typer.Option(help="Which of the four services.")],
    date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Service date.")],
    reason: Why = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
) -> None:
    """Allow one unit more. The command's id, which is shown, takes it back."""
    from models.commands import AllowUnit
    from streams.commands import stamp
    from streams.patients import one_patient
    from streams.settings import Settings

    signature = signed(user, reason)
    settings = Settings.load()
    said = AllowUnit(
        patient=one_patient(settings, patient, "PATIENT"),
        stream=stream,
        service=service,
        service_date=date.date(),
        **stamp(*signature),
    )
    confirm([f"Allow one more {_unit(said)}; to take it back: perdiem override take-back {said.id}"], yes)
    asyncio.run(act(settings, [said], wait))


@override.command("take-back")
def take_back(
    allowed_by: Annotated[str, typer.Argument(help="Id of the command that allowed it.")],
    reason: Why = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
) -> None:
    """Take back what was allowed."""
    from models.commands import AllowUnit, TakeBackUnit
    from streams.commands import find, stamp
    from streams.settings import Settings

    signature = signed(user, reason)
    settings = Settings.load()
    allowed = asyncio.run(find(settings, allowed_by, AllowUnit))
    said = TakeBackUnit(
        patient=allowed.patient,
        stream=allowed.stream,
        service=allowed.service,
        service_date=allowed.service_date,
        allowed_by=allowed.id,
        **stamp(*signature),
    )
    confirm([f"Take back one {_unit(said)}, allowed by {allowed.user}: {allowed.reason}"], yes)
    asyncio.run(act(settings, [said], wait))


def _unit(said: "AllowUnit | TakeBackUnit") -> str:
    """Without the patient."""
    return f"unit of {said.service} on {said.service_date} ({said.stream} billing)"
