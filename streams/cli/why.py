"""``perdiem why``: why an event was charged or not."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app

if TYPE_CHECKING:
    from streams.why import Told


@app.command()
def why(
    event_id: Annotated[str | None, typer.Argument(help="topic:partition:offset:index of the event.")] = None,
    patient: Annotated[
        str | None, typer.Option(help="Instead of an event: AUTHORITY|MRN, all events of the patient.")
    ] = None,
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --patient: one service date.")
    ] = None,
) -> None:
    """Say why an event was charged or not: every decision about it, in order, the last one true now."""
    from streams.settings import Settings
    from streams.why import WhyError, of_event, of_patient

    if (event_id is None) == (patient is None):
        raise WhyError("expected an event id or --patient")
    settings = Settings.load()
    if event_id is not None:
        show([asyncio.run(of_event(settings, event_id))])
    elif patient is not None:
        show(asyncio.run(of_patient(settings, patient, date.date() if date else None)))


def show(told: "list[Told]") -> None:
    """Every event with its decisions and billing events, the last decision in bold."""
    from rich.console import Console

    from models.explain import explain, line, subject

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for event in told:
        last = max(event.decisions, key=lambda decision: decision.sequence)
        console.print(f"{last.event_id}: {subject(last)}", style="bold")
        for decision in event.decisions:
            style = "" if decision is last else "dim"
            console.print(f"  {decision.sequence}. {decision.outcome.replace('_', ' ')}", style=style)
            for sentence in explain(decision):
                console.print(f"     {sentence}", style=style)
            for name in decision.billing_events:
                if name in event.billing_events:
                    console.print(f"     {line(event.billing_events[name])}", style=style)
