"""``perdiem settings``: what is set, and what could be."""

import json
from typing import Annotated

import typer

from streams.cli import app


@app.command()
def settings(
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
) -> None:
    """Show every setting, its value and its meaning; secrets are masked."""
    from streams.settings import PREFIX, Settings

    loaded = Settings.load()
    values = loaded.model_dump(mode="json")
    if as_json:
        print(json.dumps(values, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("Variable", no_wrap=True)
    table.add_column("Value", overflow="fold")
    table.add_column("Meaning")
    for name, field in Settings.model_fields.items():
        value = values[name]
        shown = "" if value is None else str(value)
        style = "bold" if name in loaded.model_fields_set else ""
        table.add_row(f"{PREFIX}{name.upper()}", shown, field.description, style=style)
    Console().print(table)
