"""How items of the worklist are shown: in a list, or one whole."""

import base64
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streams.cli import words

if TYPE_CHECKING:
    from rich.table import Table

    from models.worklist import Item

WIDE = 400
"""Columns where no terminal tells how many there are: one line for each item."""


def show_list(items: "Sequence[Item]", *, as_json: bool, show_patients: bool) -> None:
    """The items in the order given; as JSON one array."""
    from streams.worklist import told

    if as_json:
        print(json.dumps([told(item, show_patients) for item in items], indent=2))
        return
    from rich.console import Console

    if not items:
        print("Nothing waits.")
        return
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDE
    console.print(_table(items, show_patients))


def _table(items: "Sequence[Item]", show_patients: bool) -> "Table":
    from rich.table import Table

    from models.explain import releases
    from streams.worklist import masked

    table = Table(box=None, pad_edge=False)
    for column in ("Item", "Kind", "State", "Age", "Facility", "Date", "Patient"):
        table.add_column(column, no_wrap=True)
    table.add_column("What is missing, or to be done", overflow="fold")
    for item in items:
        table.add_row(
            item.id,
            words(item.kind),
            item.state,
            age(item.since),
            item.facility or "",
            str(item.service_date or ""),
            masked(item.patient, show_patients) or "",
            releases(item),
        )
    return table


def show_item(item: "Item", *, show_patients: bool) -> None:
    """One item whole; what the source sent only where patients may be shown."""
    from models.explain import explain
    from streams.worklist import told

    for name, value in told(item, show_patients).items():
        if value not in (None, []):
            print(f"{words(name)}: {', '.join(value) if isinstance(value, list) else value}")
    if item.decision is not None:
        print(f"decided: {' '.join(explain(item.decision))}")
    for name, heard in item.heard.items():
        print(f"command {name}: {heard.outcome} ({heard.event_id})")
    if item.topic is not None:
        print(f"record: {item.topic}:{item.partition}:{item.offset}")
    if item.value is not None and not show_patients:
        print(f"{len(item.value):,} bytes of the source: --show-patients shows them")
    elif item.value is not None:
        print(_readable(item.value))


def _readable(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"base64: {base64.b64encode(value).decode()}"


def age(since: int) -> str:
    """How long ago, in its largest unit."""
    seconds = max(0, int(time.time() - since / 1000))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
