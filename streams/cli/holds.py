"""``perdiem holds``: what is held, and what a person decides about it."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app, words
from streams.cli.acting import act, confirm, signed
from streams.cli.foreseen import ask, lines
from streams.cli.listing import show_item, show_list
from streams.cli.options import WAIT, AsJson, Every, ShowPatients, User, Wait, Why, Yes

if TYPE_CHECKING:
    from models.commands import Reject, Release
    from models.worklist import Item, Kind
    from streams.settings import Settings

holds = typer.Typer(help="What is held for a person.", no_args_is_help=True)
app.add_typer(holds, name="holds")

Items = Annotated[list[str], typer.Argument(help="Ids, as `perdiem holds list` shows them.")]


def kinds() -> "tuple[Kind, ...]":
    """Those that are held, in the wide sense: all but alerts and dead letters."""
    from models.worklist import Kind

    return (Kind.HELD, Kind.CORRECTION, Kind.CLAIMED, Kind.REFUSED_CHARGE)


@holds.command("list")
def list_held(every: Every = False, as_json: AsJson = False, show_patients: ShowPatients = False) -> None:
    """List what is held, the oldest first: its age, and what would release it."""
    from streams.worklist import held

    wanted = kinds()
    show_list(
        held, lambda item: item.kind in wanted, every=every, as_json=as_json, show_patients=show_patients
    )


@holds.command()
def show(
    item: Annotated[str, typer.Argument(help="Id, as `perdiem holds list` shows it.")],
    show_patients: ShowPatients = False,
) -> None:
    """Show one item, and what would come of deciding it; what the source sent only with --show-patients."""
    show_item(item, *kinds(), show_patients=show_patients)


@holds.command()
def release(
    items: Items,
    reason: Why = "",
    fill: Annotated[
        list[str] | None,
        typer.Option(help="FIELD=VALUE as the source should have stated it: patient.mrn=17, say."),
    ] = None,
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
    show_patients: ShowPatients = False,
) -> None:
    """Take in what is held, with what was missing filled in; apply a correction that is held."""
    from models.commands import Release
    from models.filling import filled_in
    from models.messages import Unreadable
    from streams.commands import CommandsError, stamp
    from streams.settings import Settings
    from streams.worklist import chosen

    signature = signed(user, reason)
    try:
        given = filled_in(fill or [])
    except Unreadable as error:
        raise CommandsError(str(error)) from None
    settings = Settings.load()
    found = asyncio.run(chosen(settings, items, *kinds(), whole=len({*items}) == 1))
    said = f", filled in: {', '.join(each.partition('=')[0] for each in fill)}" if fill else ""
    commands = [Release(item=item.id, fill=given, **stamp(*signature)) for item in found]
    confirm(
        [
            *(f"Release {line(item)}{said}" for item in found),
            *would(settings, found, commands, show_patients),
        ],
        yes,
    )
    asyncio.run(act(settings, commands, wait, of_items=all(item.decision is not None for item in found)))


@holds.command()
def reject(
    items: Items,
    reason: Why = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
    show_patients: ShowPatients = False,
) -> None:
    """Decide that it is not taken in, or a held correction not applied."""
    turn_down(items, kinds(), "Reject", user, reason, yes, wait, show_patients=show_patients)


def turn_down(
    ids: list[str],
    kinds: "tuple[Kind, ...]",
    verb: str,
    user: str,
    reason: str,
    yes: bool,
    wait: float,
    *,
    show_patients: bool = False,
) -> None:
    """Reject items of these kinds."""
    from models.commands import Reject
    from streams.commands import stamp
    from streams.settings import Settings
    from streams.worklist import chosen

    signature = signed(user, reason)
    settings = Settings.load()
    found = asyncio.run(chosen(settings, ids, *kinds))
    commands = [Reject(item=item.id, **stamp(*signature)) for item in found]
    shown = [f"{verb} {line(item)}" for item in found]
    confirm([*shown, *would(settings, found, commands, show_patients)], yes)
    asyncio.run(act(settings, commands, wait, verb=verb.lower()))


def would(
    settings: "Settings",
    items: "Sequence[Item]",
    commands: "Sequence[Release | Reject]",
    show_patients: bool,
) -> Iterator[str]:
    """What the command would bring about; of several nothing, since each asks for a patient's state."""
    from models.worklist import Kind

    if len(items) == 1 and items[0].kind in (Kind.HELD, Kind.CORRECTION, Kind.CLAIMED):
        found = ask(settings, items[0], commands[0])
        yield from (f"  {each}" for each in lines(found, show_patients=show_patients))


def line(item: "Item") -> str:
    """An item in one line, without its patient."""
    from models.explain import releases

    return f"{item.id} ({words(item.kind)}: {releases(item)})"
