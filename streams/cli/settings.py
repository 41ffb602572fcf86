"""``perdiem settings``: what is set, and what could be."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from streams.cli import app
from streams.cli.options import AsJson

WIDE = 400
"""Columns where no terminal tells how many there are: one line for each setting."""


@app.command()
def settings(as_json: AsJson = False) -> None:
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
        said = f"{field.description}{_allowed(field.annotation)}"
        table.add_row(f"{PREFIX}{name.upper()}", shown, said, style=style)
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)


def _allowed(annotation: Any) -> str:
    """The values of a setting that is one of a few."""
    values = [value for value in _values(annotation) if isinstance(value, str)]
    return f" One of {', '.join(values)}." if values else ""


def _values(annotation: Any) -> Iterator[Any]:
    """What a ``Literal``, alone or in a union, may be."""
    for argument in get_args(annotation):
        yield argument
        yield from _values(argument)
