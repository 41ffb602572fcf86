"""``perdiem simulate``: make days of records, and the charges that should stand after them."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli import app, counted


@app.command()
def simulate(
    patients: Annotated[int, typer.Option(min=1, help="Patients of the three example hospitals.")] = 24,
    days: Annotated[int, typer.Option(min=1, help="Days that follow each other.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed makes the same file.")] = 1,
    out: Annotated[Path, typer.Option(help="The file; the charges go beside it.")] = Path("day.jsonl"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Make a file of records for `perdiem play`, and beside it the charges that should stand."""
    from streams.simulate import Simulation, write

    simulation = Simulation(patients, days, seed)
    records, expected = write(simulation, out, overwrite=force)
    charges = counted(len(simulation.expected), "charge")
    print(f"{out}: {counted(records, 'record')}. {expected}: {charges} that should stand.")
