"""``perdiem merge``: two patients are the same, or are not after all."""

import asyncio
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from streams.cli import app, counted
from streams.cli.acting import act, askable, confirm, signed
from streams.cli.options import WAIT, ShowPatients, User, Wait, Why, Yes


class _Merges(TyperGroup):
    """``perdiem merge PATIENT INTO`` beside ``perdiem merge undo MERGE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            args = ["patients", *args]
        return super().parse_args(ctx, args)


merge = typer.Typer(
    cls=_Merges,
    help="Two patients are the same: perdiem merge PATIENT INTO, or perdiem merge undo MERGE.",
    no_args_is_help=True,
)
app.add_typer(merge, name="merge")


@merge.command()
def patients(
    patient: Annotated[str, typer.Argument(help="AUTHORITY|MRN that is no longer used.")],
    into: Annotated[str, typer.Argument(help="AUTHORITY|MRN that stays.")],
    reason: Why = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
) -> None:
    """Merge PATIENT INTO another: the charges of the first become those of the second."""
    from models.commands import Merge
    from streams.commands import stamp
    from streams.kept import standing_of
    from streams.patients import PatientError, one_patient
    from streams.settings import Settings

    signature = signed(user, reason)
    settings = Settings.load()
    losing, surviving = one_patient(settings, patient, "PATIENT"), one_patient(settings, into, "INTO")
    if losing == surviving:
        raise PatientError("PATIENT, INTO: expected two different patients")
    said = Merge(losing=losing, surviving=surviving, **stamp(*signature))
    askable(yes)
    charges = counted(asyncio.run(standing_of(settings, losing)), "standing charge")
    shown = [
        f"Merge {losing} into {surviving}; to undo it: perdiem merge undo {said.id}",
        f"{charges} of {losing} now: {surviving} would have them, once a service and day",
    ]
    confirm(shown, yes)
    asyncio.run(act(settings, [said], wait))


@merge.command()
def undo(
    name: Annotated[str, typer.Argument(metavar="MERGE", help="Id of the merge's command.")],
    reason: Why = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
    show_patients: ShowPatients = False,
) -> None:
    """Undo a merge: two patients are not the same after all."""
    from models.commands import Merge, UndoMerge
    from streams.commands import find, stamp
    from streams.settings import Settings
    from streams.worklist import masked

    signature = signed(user, reason)
    settings = Settings.load()
    done = asyncio.run(find(settings, name, Merge))
    said = UndoMerge(merge=done.id, losing=done.losing, surviving=done.surviving, **stamp(*signature))
    names = [masked(each, show_patients) for each in (done.losing, done.surviving)]
    confirm([f"Undo the merge of {names[0]} into {names[1]} by {done.user}: {done.reason}"], yes)
    asyncio.run(act(settings, [said], wait))
