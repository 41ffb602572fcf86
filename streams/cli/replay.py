"""``perdiem replay``: what another facilities file would make of what was said, and applying it."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app, counted, words
from streams.cli.acting import act, askable, confirm, signed
from streams.cli.options import WAIT_OF_MANY, AsJson, ShowPatients, User, Wait, Yes

if TYPE_CHECKING:
    from models.what_if import Report
    from streams.settings import Settings


@app.command()
def replay(
    what_if: Annotated[Path, typer.Option(help="The facilities file (TOML), as it would be.")],
    as_json: AsJson = False,
    examples: Annotated[int, typer.Option(min=0, help="Of each difference, how many events to show.")] = 5,
    show_patients: ShowPatients = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Send what makes it so. The workers must run with the file first.")
    ] = False,
    reason: Annotated[str, typer.Option(help="With --apply: why. Needed then.")] = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT_OF_MANY,
) -> None:
    """Show which charges would differ if another facilities file had always held. Nothing is written.

    With --apply, statements that the file resolves differently are stated anew, and what is held but would
    not be is released; all else is left as it is. Applying a file twice changes nothing.
    """
    from models.revision import Act, Order
    from streams.replay import replay
    from streams.settings import Settings

    signature = signed(user, reason) if apply else ("", "")
    askable(yes or not apply)
    settings = Settings.load()

    async def run() -> None:
        async with replay(settings, what_if, examples) as replayed:
            report = replayed.report
            if as_json:
                print(json.dumps(report.told(patients=show_patients), indent=2))
            else:
                show(report, patients=show_patients)
            if not apply:
                return
            applicable = report.acts[Act.RESTATE] + report.acts[Act.RELEASE]
            if not applicable:
                typer.echo("Nothing is to be applied.", err=as_json)
                return
            check_workers(settings, report.file)
            events = counted(applicable, "event")
            confirm([f"Apply the file of digest {report.file} to {events}, as told above"], yes, err=True)
            order = Order(report.file, signature[0], datetime.now(UTC), signature[1])
            await act(settings, replayed.commands(order), wait, many=True, err=as_json)

    asyncio.run(run())


def check_workers(settings: "Settings", file: str) -> None:
    """Say with which file the workers must run. Raises ``ReplayError`` where they are told another one."""
    from streams.facilities import digest_of
    from streams.replay import ReplayError

    if settings.facilities is not None and (named := digest_of(settings.facilities)) != file:
        raise ReplayError(
            f"PERDIEM_FACILITIES: a file of digest {file} expected, it is {named}: start the workers with "
            "the new file first, or what comes in and what is released is resolved by the former one"
        )
    typer.echo(
        f"Every worker must run with this file already (digest {file}): they resolve what is released.",
        err=True,
    )


def show(report: "Report", *, patients: bool) -> None:
    """The report for a person."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, soft_wrap=True)
    gone = (
        f", {report.gone:,} taken as they are: their records are gone or were unreadable"
        if report.gone
        else ""
    )
    console.print(f"File of digest {report.file}. {counted(report.resolved, 'event')} resolved by it{gone}.")
    if report.charges:
        table = Table(title="Charges", title_justify="left", box=SIMPLE_HEAD)
        for column in ("Change", "Facility", "Service"):
            table.add_column(column)
        table.add_column("Charges", justify="right")
        for (effect, facility, service), count in sorted(report.charges.items()):
            table.add_row(words(effect), facility, service, f"{count:,}")
        console.print(table)
    else:
        console.print("No charge would differ.")
    if report.fields:
        console.print("Different in", ", ".join(f"{name} ({n:,})" for name, n in report.fields.most_common()))
    for (was, would_be), count in report.outcomes.most_common():
        console.print(f"{counted(count, 'event')}: {words(was)} -> {words(would_be)}")
    for each, count in report.acts.most_common():
        console.print(f"{counted(count, 'event')}: {ACTS[each]}")
    for kind, found in report.found.items():
        for example in found:
            whose = f" {example.patient}" if patients and example.patient else ""
            what = f": {example.what}" if example.what else ""
            console.print(f"{words(kind)}: {example.event_id}{whose}{what}")
        if report.seen[kind] > len(found):
            console.print(f"{words(kind)}: and {report.seen[kind] - len(found):,} more: see --examples")


ACTS = {
    "restate": "--apply states it anew",
    "release": "held now, --apply releases it",
    "would_be_held": "taken in, and would be held: left as it is",
    "would_be_left_out": "taken in, and would be none of ours: left as it is",
    "other_procedure": "would be of another patient or procedure, or ordered otherwise: left as it is",
    "filled_in": "a person filled something in: left as it is",
}
