"""``perdiem merge``: two patients are the same, or are not after all."""

import asyncio
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from streams.cli import app, counted
from streams.cli.acting import act, askable, confirm, signed
from streams.cli.options import WAIT, ShowPatients, User, Wait, Why, Yes


class _Merges(TyperGroup):
    """``perdiem merge LOSING SURVIVING`` beside ``perdiem merge undo MERGE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = [PATIENTS, *(args or ["--help"])]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return None if name == PATIENTS else name, command, rest


PATIENTS = "patients"
"""Never typed, and never shown."""
merge = typer.Typer(cls=_Merges, help="Two patients are the same, or are not after all.")
app.add_typer(merge, name="merge")


@merge.command(PATIENTS)
def patients(
    losing: Annotated[str, typer.Argument(metavar="LOSING", help="AUTHORITY|MRN that is no longer used.")],
    surviving: Annotated[str, typer.Argument(metavar="SURVIVING", help="AUTHORITY|MRN that stays.")],
    reason: Why = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
) -> None:
    """Merge LOSING into SURVIVING: the charges of the first become those of the second.

    `perdiem merge undo MERGE` undoes it: MERGE is the id that is shown when it is done.
    """
    from models.commands import Merge
    from streams.commands import stamp
    from streams.kept import standing_of
    from streams.patients import PatientError, one_patient
    from streams.settings import Settings

    signature = signed(user, reason)
    settings = Settings.load()
    losing = one_patient(settings, losing, "LOSING")
    surviving = one_patient(settings, surviving, "SURVIVING")
    if losing == surviving:
        raise PatientError("LOSING, SURVIVING: expected two different patients")
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
