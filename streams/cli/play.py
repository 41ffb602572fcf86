"""``perdiem play``: send a file of records to the topics."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from streams.cli import app


@app.command()
def play(
    file: Annotated[Path, typer.Argument(help="JSON lines: topic, key, value or value_base64, headers.")],
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Records a second. None: as fast as it goes.")
    ] = None,
) -> None:
    """Send a file of records to the topics, as the source systems would."""
    from rich.console import Console
    from rich.progress import track

    from streams.play import play, read_file
    from streams.settings import Settings

    settings = Settings.load()
    total = sum(1 for _ in read_file(file))
    records = track(read_file(file), f"Playing {file.name}", total, console=Console(stderr=True))
    print(f"{asyncio.run(play(settings, records, rate))} records sent.")
