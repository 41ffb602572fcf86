"""``perdiem opening-balance``: what the system in use before go-live charged."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from streams.cli import app, counted
from streams.cli.acting import act, confirm, signed
from streams.cli.options import WAIT_OF_MANY, User, Wait, Why, Yes


@app.command("opening-balance")
def opening_balance(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with a header line, or JSON lines: patient (AUTHORITY|MRN), stream, service or code, "
            "service_date; a line for each unit."
        ),
    ],
    reason: Why = "",
    user: User = "",
    yes: Yes = False,
    wait: Wait = WAIT_OF_MANY,
) -> None:
    """Load the units that were charged before go-live. The same file again changes nothing."""
    from datetime import UTC, datetime

    from streams.facilities import read_facilities
    from streams.opening import commands, read_units
    from streams.settings import Settings, SettingsError

    signature = signed(user, reason)
    settings = Settings.load()
    if settings.facilities is None:
        # Ids follow from the patients in their one spelling.
        raise SettingsError("PERDIEM_FACILITIES: the path of a facilities file expected")
    units = read_units(file, read_facilities(settings.facilities))
    dates = sorted(unit.service_date for unit in units)
    if not dates:
        print("No unit is in the file.")
        return
    patients = counted(len({unit.patient for unit in units}), "patient")
    shown = f"Load {counted(len(units), 'unit')} of {patients}, service dates {dates[0]} to {dates[-1]}"
    confirm([shown], yes)
    said = commands(units, signature[0], datetime.now(UTC), signature[1])
    asyncio.run(act(settings, said, wait, many=True))
