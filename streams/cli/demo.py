"""``perdiem demo``: the whole path, on a real Kafka, from nothing."""

import signal
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import app, counted

if TYPE_CHECKING:
    from rich.console import Console

    from streams.demo import Demo


INTERRUPTED = 130
"""As a shell tells of a program that Ctrl-C ended."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End when the day is processed and audited.")] = False,
) -> None:
    """Play a day of three hospitals through a Kafka and a worker of its own, and show what came of it.

    On a terminal it stays up until Ctrl-C. Otherwise, or with --once, it ends by itself: exit 0 only
    if the audit is clean, 130 if it was interrupted.
    """
    from rich.console import Console

    from streams.demo import demo as start

    # A pipe tells no width, and need not be as narrow as 80 columns.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Ctrl-C is how it ends on a terminal: anything but 0 would make `make demo` speak of an error.
    code = 0 if sys.stdout.isatty() else INTERRUPTED
    with suppress(KeyboardInterrupt), ExitStack() as running:
        folder = running.enter_context(tempfile.TemporaryDirectory(prefix="perdiem-demo-"))
        with _stage(console, "Starting Apache Kafka and a worker (the first time fetches Kafka, 45 MB)"):
            installation = running.enter_context(start(Path(folder)))
        code = 0 if _show(installation, console) else 1
        if not once and sys.stdout.isatty():
            console.print("\nThe worker stays up; this link opens its pages once. Ctrl-C ends the demo.")
            console.print(installation.link(), soft_wrap=True)
            console.print(f"In another terminal: {_next(installation)}", soft_wrap=True)
            signal.pause()
    raise typer.Exit(code)


def _stage(console: "Console", text: str) -> AbstractContextManager[Any]:
    """Says that a stage has begun; on a terminal it shows so until the stage is over."""
    if console.is_terminal:
        return console.status(text)
    console.print(text)
    return nullcontext()


def _next(installation: "Demo") -> str:
    """What to type next, ready to copy: an event of the demo, explained."""
    event_id = max(installation.not_charged(), key=lambda decision: decision.sequence).event_id
    return f"PERDIEM_BROKERS={installation.settings.brokers} {_command()} why {event_id}"


def _command() -> str:
    """How this program was called."""
    called = Path(sys.argv[0])
    return f"{sys.executable} -m streams.cli" if called.name == "__main__.py" else str(called)


def _show(installation: "Demo", console: "Console") -> bool:
    """Play the day, print what became of it; whether the audit is clean."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from models.explain import explain
    from streams.cli.audit import show

    with _stage(console, "Playing a day of three hospitals"):
        sent = installation.play()
        report = installation.audit()
        charges = installation.standing()
        others = installation.not_charged()
    outcomes = Table(title=f"What became of {counted(sent, 'record')}", title_justify="left", box=SIMPLE_HEAD)
    outcomes.add_column("Outcome")
    outcomes.add_column("Events", justify="right")
    for outcome, count in report.outcomes.most_common():
        outcomes.add_row(outcome.replace("_", " "), str(count))
    standing = Table(
        title=f"{counted(len(charges), 'standing charge')} of simulated patients",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for column in ("Patient", "Date", "Code"):
        standing.add_column(column, no_wrap=True)
    for column in ("Facility", "Service", "Stream"):
        standing.add_column(column)
    for charge in charges:
        standing.add_row(
            charge.patient,
            charge.service_date.isoformat(),
            charge.code,
            charge.facility,
            charge.service,
            charge.stream,
        )
    reasons = Table(
        title=f"{counted(len(others), 'event')} not charged", title_justify="left", box=SIMPLE_HEAD
    )
    reasons.add_column("Event", no_wrap=True)
    reasons.add_column("Why")
    for decision in others:
        reasons.add_row(decision.event_id, " ".join(explain(decision, warnings=False)))
    console.print(standing, reasons, outcomes)
    show(report)
    return report.clean
