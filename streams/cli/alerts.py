"""``perdiem alerts``: what a person should know."""

from typing import Annotated

import typer

from streams.cli import app
from streams.cli.holds import turn_down
from streams.cli.listing import show_item, show_list
from streams.cli.options import WAIT, AsJson, Every, ShowPatients, User, Wait, Why, Yes

alerts = typer.Typer(
    help="What a person should know: one procedure under two patients, say.", no_args_is_help=True
)
app.add_typer(alerts, name="alerts")


@alerts.command("list")
def list_alerts(every: Every = False, as_json: AsJson = False, show_patients: ShowPatients = False) -> None:
    """List alerts, the oldest first."""
    from models.worklist import Kind
    from streams.worklist import held

    show_list(
        held, lambda item: item.kind is Kind.ALERT, every=every, as_json=as_json, show_patients=show_patients
    )


@alerts.command()
def show(
    item: Annotated[str, typer.Argument(help="Id, as `perdiem alerts list` shows it.")],
    show_patients: ShowPatients = False,
) -> None:
    """Show one alert: which patients and events it is about."""
    from models.worklist import Kind

    show_item(item, Kind.ALERT, show_patients=show_patients)


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
