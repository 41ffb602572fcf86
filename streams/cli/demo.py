"""``perdiem demo``: the whole path, on a real Kafka, from nothing."""

import signal
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app

if TYPE_CHECKING:
    from rich.console import Console

    from streams.demo import Demo


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End when the day is processed and audited.")] = False,
) -> None:
    """Play a day of three hospitals through a Kafka and a worker of its own, and show what came of it.

    On a terminal it stays up until Ctrl-C. Otherwise, or with --once, it ends by itself: exit 0 only
    if the audit is clean.
    """
    from rich.console import Console

    from streams.demo import demo as start

    # A pipe tells no width, and 80 columns would cut the charges.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    clean = False
    with suppress(KeyboardInterrupt), ExitStack() as running:
        folder = running.enter_context(tempfile.TemporaryDirectory(prefix="perdiem-demo-"))
        with console.status("Starting Apache Kafka and a worker (the first time fetches Kafka, 45 MB)"):
            installation = running.enter_context(start(Path(folder)))
        clean = _show(installation, console)
        if not once and sys.stdout.isatty():
            console.print(f"\nThe worker stays up: {installation.worker.url}/  Ctrl-C ends the demo.")
            signal.pause()
    raise typer.Exit(0 if clean else 1)


def _show(installation: "Demo", console: "Console") -> bool:
    """Play the day, print what became of it; whether the audit is clean."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from models.explain import explain
    from streams.cli.audit import show

    with console.status("Playing a day of three hospitals"):
        sent = installation.play()
        report = installation.audit()
        charges = installation.standing()
        others = installation.not_charged()
    outcomes = Table(title=f"What became of {sent} records", title_justify="left", box=SIMPLE_HEAD)
    outcomes.add_column("Outcome")
    outcomes.add_column("Events", justify="right")
    for outcome, count in report.outcomes.most_common():
        outcomes.add_row(outcome.replace("_", " "), str(count))
    standing = Table(title=f"{len(charges)} charges stand", title_justify="left", box=SIMPLE_HEAD)
    for column in ("Patient (simulated)", "Facility", "Date", "Code", "Service", "Stream", "Revenue code"):
        standing.add_column(column)
    for charge in charges:
        standing.add_row(
            charge.patient,
            charge.facility,
            charge.service_date.isoformat(),
            charge.code,
            charge.service,
            charge.stream,
            charge.revenue_code,
        )
    reasons = Table(title=f"{len(others)} events are not charged", title_justify="left", box=SIMPLE_HEAD)
    reasons.add_column("Event", overflow="fold")
    reasons.add_column("Why")
    for decision in others:
        reasons.add_row(decision.event_id, " ".join(explain(decision, warnings=False)))
    console.print(standing, reasons, outcomes)
    show(report)
    return report.clean
