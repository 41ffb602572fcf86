"""``perdiem simulate``: make days or years of records, and the charges that should stand after them."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli import app, counted


@app.command()
def simulate(
    patients: Annotated[
        int | None,
        typer.Option(min=1, help="Patients of the three example hospitals: 24. With --years, in each: 400."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days that follow each other. None: one.")] = None,
    years: Annotated[
        int | None, typer.Option(min=1, max=50, help="Instead of days: years of one large centre.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same file.")] = 1,
    out: Annotated[Path, typer.Option(help="The file; the charges go beside it.")] = Path("day.jsonl"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Make a file of records for `perdiem play`, and beside it the charges that should stand.

    A year of 400 patients has 12,000 records: of each patient the course of one therapy, from the collection
    of cells to the last bag, with corrections, repeats, and some that come weeks late.
    """
    from streams.simulate import Simulated, Simulation, SimulationError, write
    from streams.years import PATIENTS, Years

    if days is not None and years is not None:
        raise SimulationError("--days, --years: expected one of them")
    simulation: Simulated = Simulation(patients or 24, days or 1, seed)
    if years is not None:
        simulation = Years(years, seed, patients or PATIENTS)
    written = write(simulation, out, overwrite=force)
    charges = counted(written.charges, "charge")
    print(f"{out}: {counted(written.records, 'record')}. {written.beside}: {charges} that should stand.")
