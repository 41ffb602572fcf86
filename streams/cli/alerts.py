"""``perdiem alerts``: what a person should know."""

import asyncio
from typing import Annotated

import typer

from streams.cli import app
from streams.cli.acting import WAIT, ShowPatients, User, Wait, Why, Yes
from streams.cli.holds import turn_down

alerts = typer.Typer(
    help="What a person should know: one procedure under two patients, say.", no_args_is_help=True
)
app.add_typer(alerts, name="alerts")


@alerts.command("list")
def list_alerts(
    every: Annotated[bool, typer.Option("--all", help="Those that were closed, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON array.")] = False,
    show_patients: ShowPatients = False,
) -> None:
    """List alerts, the oldest first."""
    from models.worklist import Kind, State
    from streams.cli.listing import show_list
    from streams.settings import Settings
    from streams.worklist import held

    items = asyncio.run(held(Settings.load())).values()
    wanted = [item for item in items if item.kind is Kind.ALERT and (every or item.state is State.OPEN)]
    show_list(wanted, as_json=as_json, show_patients=show_patients)


@alerts.command()
def close(
    items: Annotated[list[str], typer.Argument(help="Ids, as `perdiem alerts list` shows them.")],
    reason: Why = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT,
) -> None:
    """Close alerts that were dealt with."""
    from models.worklist import Kind

    turn_down(items, (Kind.ALERT,), "Close", user, reason, yes, wait)
