"""``perdiem facilities``: check the file before a worker reads it."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli import app

facilities = typer.Typer(help="The facilities file.", no_args_is_help=True)
app.add_typer(facilities, name="facilities")


@facilities.command()
def check(file: Annotated[Path, typer.Argument(help="The facilities file (TOML).")]) -> None:
    """Read a facilities file as a worker would; one line for each problem, exit 2 if there is one."""
    from streams.facilities import read_facilities

    found = len(read_facilities(file).facilities)
    print(f"ok: {found} {'facility' if found == 1 else 'facilities'}")
