"""``perdiem audit``: recompute every charge from the topics and print what differs: nothing."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import app, counted
from streams.cli.options import AsJson

if TYPE_CHECKING:
    from streams.audit import Report


@app.command()
def audit(
    as_json: AsJson = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until the pipeline has caught up; 0 does not.")
    ] = 0,
    examples: Annotated[int, typer.Option(min=0, help="Of each figure, how many ids to show.")] = 5,
) -> None:
    """Recompute every charge from the topics; exit 0 only if all four figures are 0.

    Records on their way through the pipeline have no decision yet and count as unexplained: see --wait.
    """
    from rich.console import Console
    from rich.progress import Progress

    from streams.audit import audit_topics
    from streams.in_flight import wait_until_processed
    from streams.settings import Settings

    settings = Settings.load()
    if wait:
        asyncio.run(wait_until_processed(settings, seconds=wait))
    with Progress(console=Console(stderr=True), transient=True) as bar:
        bars: dict[str, Any] = {}

        def progress(topic: str, records: int, total: int) -> None:
            if topic not in bars:
                bars[topic] = bar.add_task(topic, total=total)
            bar.advance(bars[topic], records)

        report = asyncio.run(audit_topics(settings, examples, progress))
    print(json.dumps(report.told(), indent=2)) if as_json else show(report)
    raise typer.Exit(0 if report.clean else 1)


def show(report: "Report") -> None:
    """The report for a person: what was read, the four figures, and examples by id."""
    from rich.console import Console
    from rich.table import Table

    from models.audit import Figure

    console = Console(highlight=False)
    read = ", ".join(f"{count:,} {topic}" for topic, count in report.records.items())
    stand = counted(report.standing, "standing charge")
    console.print(f"Read {read or 'nothing'}. {stand}.", soft_wrap=True)
    if report.replayed:
        repeats = counted(report.replayed, "repeat")
        console.print(f"{repeats} of statements that intake had sent before, absorbed.")
    table = Table(box=None, pad_edge=False, show_header=False)
    for figure in Figure:
        count = report.figures[figure]
        table.add_row(figure.replace("_", " "), f"{count:,}", style="bold red" if count else "")
    console.print(table)
    for figure in Figure:
        for finding in report.found[figure]:
            console.print(f"{figure.replace('_', ' ')}: {finding.id} {finding.what}", soft_wrap=True)
