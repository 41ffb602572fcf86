"""``perdiem tail``: what comes out, as it comes."""

import asyncio
from enum import StrEnum
from typing import Annotated, Any

import typer

from models.dates import time_of
from streams.cli import app
from streams.cli.options import ShowPatients


class What(StrEnum):
    BILLING = "billing"
    DECISIONS = "decisions"
    HELD = "held"
    DEAD_LETTERS = "dead-letters"


@app.command()
def tail(
    what: Annotated[What, typer.Argument(help="What to show.")],
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C, or end with what is there.")] = True,
    limit: Annotated[int, typer.Option(min=0, help="How many of those that are there to begin with.")] = 20,
    show_patients: ShowPatients = False,
) -> None:
    """Show charges and credits, decisions, what is held or dead letters, as they come."""
    from rich.console import Console

    from streams.settings import Settings
    from streams.tail import LINES, tail

    settings = Settings.load()
    console = Console(highlight=False, markup=False, soft_wrap=True)

    async def run() -> None:
        async for record in tail(settings, what.value, limit, follow=follow):
            console.print(shown(record, LINES[what.value](record, show_patients)))

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        raise typer.Exit from None


def shown(record: Any, text: str) -> str:
    """A line with the time of its record."""
    at = time_of(record.timestamp)
    return f"{at:%Y-%m-%d %H:%M:%S}  {text}" if at else f"{'no time':19}  {text}"
