"""``perdiem why``: why an event was charged or not."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import app, counted

if TYPE_CHECKING:
    from models.billing import BillingEvent
    from streams.why import Told


@app.command()
def why(
    event_id: Annotated[
        str | None,
        typer.Argument(help="topic:partition:offset:index of the event; or the id of a charge."),
    ] = None,
    patient: Annotated[
        str | None,
        typer.Option(
            help="Instead of an event: AUTHORITY|MRN, all events of the patient. Any spelling that the "
            "facilities file knows, if PERDIEM_FACILITIES is set."
        ),
    ] = None,
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --patient: one service date.")
    ] = None,
) -> None:
    """Say why an event was charged or not: every decision about it, in order, the last one true now.

    Of a charge: whether it stands, and every event of its patient on its day.
    """
    from streams.facilities import read_facilities
    from streams.settings import Settings
    from streams.why import CHARGE_ID, WhyError, of_charge, of_event, of_patient

    if (event_id is None) == (patient is None):
        raise WhyError("an event id, --patient: expected one of them")
    if date is not None and patient is None:
        raise WhyError("--date: expected only with --patient")
    settings = Settings.load()
    if event_id is not None and CHARGE_ID.fullmatch(event_id):
        charged, told = asyncio.run(of_charge(settings, event_id))
        show_charge(charged)
        show(told)
    elif event_id is not None:
        show([asyncio.run(of_event(settings, event_id))])
    elif patient is not None:
        facilities = read_facilities(settings.facilities) if settings.facilities else None
        told = asyncio.run(of_patient(settings, patient, date.date() if date else None, facilities))
        show(told)
        print(standing(told))


def show_charge(charged: "list[BillingEvent]") -> None:
    """A charge, and what took it back; below it come the events of its day."""
    from models.explain import REASONS, line

    charge, *taken_back = charged
    print(f"{charge.id}: {line(charge)}, as {charge.event_id} states it. {REASONS[charge.reason]}")
    for credit in taken_back:
        print(f"  Taken back: credit {credit.id}, because of {credit.cause}. {REASONS[credit.reason]}")
    print(f"  {'It no longer stands' if taken_back else 'It stands'}. The events of its patient and day:")


def show(told: "list[Told]") -> None:
    """Every event with its decisions and billing events: what was said then dim, what is true now not."""
    from rich.console import Console

    from models.explain import REASONS, explain, line, ordered, subject

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for event in told:
        about = ordered(event.order) if event.order else subject(event.now)
        console.print(f"{event.now.event_id}: {about}", style="bold")
        if event.now.procedure_id is not None:
            console.print(f"  {performed(event)}")
        for decision in event.decisions:
            past = decision is not event.now
            style = "dim" if past else ""
            outcome = decision.outcome.replace("_", " ")
            console.print(f"  {decision.sequence}. {'then' if past else 'now'}: {outcome}", style=style)
            for sentence in explain(decision, past=past, orders=event.orders):
                console.print(f"     {sentence}", style=style)
            for name in decision.billing_events:
                if name in event.billing_events:
                    written = event.billing_events[name]
                    why = "" if written.reason is decision.reason else f". {REASONS[written.reason]}"
                    console.print(f"     {line(written)}{why}", style=style)

        for decision in event.brought_about:
            outcome = decision.outcome.replace("_", " ")
            console.print(f"  {decision.event_id}, {decision.sequence}. {outcome}: {subject(decision)}")


def performed(event: "Told") -> str:
    """The procedure that the event is about, and when it began, as far as it is known."""
    began = event.statement.performed_start if event.statement else None
    when = f", performed {began.isoformat(' ', 'minutes')}" if began else ""
    return f"procedure {event.now.procedure_id} of {event.now.source or 'an unknown source'}{when}"


def standing(told: "list[Told]") -> str:
    """The charges that stand for the events told, in one line."""
    charges = {
        event.now.charge_id: event.billing_events[event.now.charge_id]
        for event in told
        if event.now.charge_id in event.billing_events
    }
    stand = counted(len(charges), "standing charge")
    listed = [f"{charge.code} on {charge.service_date} ({charge.stream})" for charge in charges.values()]
    return f"{stand}: {', '.join(listed)}" if listed else f"{stand}."
