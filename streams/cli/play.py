"""``perdiem play``: send a file of records to the topics."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from streams.cli import app, counted


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
    topics = Counter(record.topic for record in read_file(file))
    shown = Console(stderr=True)
    records = track(read_file(file), f"Playing {file.name}", topics.total(), console=shown)
    print(f"{counted(asyncio.run(play(settings, records, rate, topics)), 'record')} sent.")
