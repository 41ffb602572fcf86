"""``perdiem dead-letters``: records that could not be processed, and what a person decides about them."""

import asyncio
import base64
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app, counted
from streams.cli.acting import act, confirm, signed
from streams.cli.holds import line
from streams.cli.listing import show_item, show_list
from streams.cli.options import WAIT, AsJson, DryRun, Every, ShowPatients, User, Wait, Why, Yes

if TYPE_CHECKING:
    from models.worklist import Item
    from streams.settings import Settings
    from streams.worklist import Wanted

letters = typer.Typer(help="Records that could not be processed.", no_args_is_help=True)
app.add_typer(letters, name="dead-letters")


class Cause(StrEnum):
    """The reasons that dead letters have."""

    UNREADABLE = "unreadable"
    RULE_FAILED = "rule_failed"


DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids, as `perdiem dead-letters list` shows them.")]
OfReason = Annotated[Cause | None, typer.Option(help="Only those of this reason.")]
Source = Annotated[str | None, typer.Option(help="Only those of this source, or of this topic.")]
Since = Annotated[datetime | None, typer.Option(formats=DATES, help="Only those from then on, in UTC.")]
Until = Annotated[datetime | None, typer.Option(formats=DATES, help="Only those before then, in UTC.")]


@letters.command("list")
def list_letters(
    of_reason: Annotated[
        Cause | None, typer.Option("--reason", "--of-reason", help="Only those of this reason.")
    ] = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    every: Every = False,
    as_json: AsJson = False,
    show_patients: ShowPatients = False,
) -> None:
    """List dead letters, the oldest first: their age, and what was wrong."""
    from streams.worklist import dead_letters

    wanted = fitting(of_reason, source, since, until)
    show_list(dead_letters, wanted, every=every, as_json=as_json, show_patients=show_patients)


@letters.command()
def show(
    item: Annotated[str, typer.Argument(help="Id, as `perdiem dead-letters list` shows it.")],
    show_patients: ShowPatients = False,
) -> None:
    """Show one dead letter; what the source sent only with --show-patients."""
    from streams.worklist import dead_letters

    show_item(dead_letters, item, show_patients=show_patients)


@letters.command()
def redrive(
    items: Ids = None,
    reason: Why = "",
    value: Annotated[
        Path | None, typer.Option(help="File of the record as it should have been; of one dead letter.")
    ] = None,
    of_reason: OfReason = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
) -> None:
    """Take dead letters in: as they are, after a repair of ours, or one corrected."""
    from models.commands import Redrive
    from streams.commands import stamp
    from streams.settings import Settings

    signature = signed(user, reason)
    settings = Settings.load()
    found = selected(settings, items or [], of_reason, source, since, until)
    corrected = None if value is None else base64.b64encode(_read(value, found))
    shown = [f"Redrive {line(item)}{'' if value is None else f', as {value} has it'}" for item in found]
    if not ready(shown, dry_run, yes):
        return
    # Of several each is a record of its own, and what was wrong with one may be wrong with all.
    commands = [Redrive(item=item.id, value=corrected, **stamp(*signature)) for item in found]
    asyncio.run(act(settings, commands, wait, of_items=True))


@letters.command()
def discard(
    items: Ids = None,
    reason: Why = "",
    of_reason: OfReason = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
) -> None:
    """Decide that dead letters are not worth redriving."""
    from models.commands import Discard
    from streams.commands import stamp
    from streams.settings import Settings

    signature = signed(user, reason)
    settings = Settings.load()
    found = selected(settings, items or [], of_reason, source, since, until)
    if ready([f"Discard {line(item)}" for item in found], dry_run, yes):
        asyncio.run(act(settings, [Discard(item=item.id, **stamp(*signature)) for item in found], wait))


def ready(shown: list[str], dry_run: bool, yes: bool) -> bool:
    """Whether what was shown is to be done."""
    if not shown:
        print("Nothing waits.")
        return False
    if dry_run:
        print("\n".join([*shown, f"{counted(len(shown), 'dead letter')}; nothing was done."]))
        return False
    confirm(shown, yes)
    return True


def selected(
    settings: "Settings",
    ids: list[str],
    of_reason: str | None,
    source: str | None,
    since: datetime | None,
    until: datetime | None,
) -> "list[Item]":
    """The open dead letters of these ids, or those that the filters leave. Raises ``WorklistError``."""
    from models.worklist import Kind, State
    from streams.worklist import WorklistError, chosen, dead_letters, named

    filters = (of_reason, source, since, until)
    if not ids and not any(filters):
        raise WorklistError("ids expected, or one of --of-reason, --source, --since, --until")
    fits = fitting(*filters)
    if ids:
        items = asyncio.run(dead_letters(settings, named(*ids)))
        return [item for item in chosen(items, ids, Kind.DEAD_LETTER) if fits(item)]
    waiting = dead_letters(settings, lambda item: item.state is State.OPEN and fits(item))
    return [*asyncio.run(waiting).values()]


def fitting(
    of_reason: str | None, source: str | None, since: datetime | None, until: datetime | None
) -> "Wanted":
    """Wants the items that all filters leave."""
    from models.selection import Selection

    return Selection(
        reason=of_reason, source=source, since=_milliseconds(since), until=_milliseconds(until)
    ).fits


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _read(path: Path, found: "list[Item]") -> bytes:
    from streams.worklist import WorklistError

    if len(found) != 1:
        raise WorklistError("--value: one dead letter expected")
    try:
        return path.read_bytes()
    except OSError as error:
        raise WorklistError(f"{path}: a readable file expected: {error.strerror}") from None
