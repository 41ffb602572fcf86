"""``perdiem holds``: what is held, and what a person decides about it."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app, words
from streams.cli.acting import act, confirm, signed
from streams.cli.listing import show_item, show_list
from streams.cli.options import WAIT, AsJson, Every, ShowPatients, User, Wait, Why, Yes

if TYPE_CHECKING:
    from models.worklist import Item, Kind

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
    """Show one item; what the source sent only with --show-patients."""
    from streams.worklist import held

    show_item(held, item, show_patients=show_patients)


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
) -> None:
    """Take in what is held, with what was missing filled in; apply a correction that is held."""
    from models.commands import Release
    from models.filling import filled_in
    from models.messages import Unreadable
    from streams.commands import CommandsError, stamp
    from streams.settings import Settings
    from streams.worklist import chosen, held, named

    signature = signed(user, reason)
    try:
        given = filled_in(fill or [])
    except Unreadable as error:
        raise CommandsError(str(error)) from None
    settings = Settings.load()
    found = chosen(asyncio.run(held(settings, named(*items))), items, *kinds())
    said = f", filled in: {', '.join(each.partition('=')[0] for each in fill)}" if fill else ""
    confirm([f"Release {line(item)}{said}" for item in found], yes)
    commands = [Release(item=item.id, fill=given, **stamp(*signature)) for item in found]
    asyncio.run(act(settings, commands, wait, of_items=all(item.decision is not None for item in found)))


@holds.command()
def reject(items: Items, reason: Why = "", user: User = "", yes: Yes = False, wait: Wait = WAIT) -> None:
    """Decide that it is not taken in, or a held correction not applied."""
    turn_down(items, kinds(), "Reject", user, reason, yes, wait)


def turn_down(
    ids: list[str],
    kinds: "tuple[Kind, ...]",
    verb: str,
    user: str,
    reason: str,
    yes: bool,
    wait: float,
) -> None:
    """Reject items of these kinds."""
    from models.commands import Reject
    from streams.commands import stamp
    from streams.settings import Settings
    from streams.worklist import chosen, held, named

    signature = signed(user, reason)
    settings = Settings.load()
    found = chosen(asyncio.run(held(settings, named(*ids))), ids, *kinds)
    confirm([f"{verb} {line(item)}" for item in found], yes)
    asyncio.run(act(settings, [Reject(item=item.id, **stamp(*signature)) for item in found], wait))


def line(item: "Item") -> str:
    """An item in one line, without its patient."""
    from models.explain import releases

    return f"{item.id} ({words(item.kind)}: {releases(item)})"
