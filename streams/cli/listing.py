"""How items of the worklist are shown: in a list, or one whole."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from itertools import chain
from textwrap import indent
from typing import TYPE_CHECKING, Any

from streams.cli import words

if TYPE_CHECKING:
    from models.worklist import Item
    from streams.worklist import Wanted

Read = Callable[..., Coroutine[Any, Any, "dict[str, Item]"]]
"""``held`` or ``dead_letters`` of ``streams.worklist``."""
COLUMNS = ("Item", "Kind", "State", "Age", "Facility", "Date", "Patient", "What is missing, or to be done")


def show_list(read: Read, wanted: "Wanted", *, every: bool, as_json: bool, show_patients: bool) -> None:
    """The items that are ``wanted`` and, without ``every``, open; as JSON one array."""
    from models.worklist import State
    from streams.settings import Settings

    def shown(item: "Item") -> bool:
        return (every or item.state is State.OPEN) and wanted(item)

    items = [*asyncio.run(read(Settings.load(), shown)).values()]
    if as_json:
        _print_json(items, show_patients)
        return
    if not items:
        print("Nothing waits.")
        return
    # Made twice, since all rows at once are many times what the items are.
    widths = [*map(len, COLUMNS)]
    for item in items:
        widths = [*map(max, widths, map(len, _cells(item, show_patients)))]
    for cells in chain([COLUMNS], (_cells(item, show_patients) for item in items)):
        # The last column is as wide as it is, and the terminal folds it.
        print("  ".join(map(str.ljust, cells, [*widths[:-1], 0])).rstrip())


def _print_json(items: "Sequence[Item]", show_patients: bool) -> None:
    """One after the other: the text of all is many times what they are."""
    from streams.worklist import told

    print("[", end="")
    for number, item in enumerate(items):
        text = indent(json.dumps(told(item, show_patients), indent=2), "  ")
        print(f"{',' if number else ''}\n{text}", end="")
    print("\n]" if items else "]")


def _cells(item: "Item", show_patients: bool) -> tuple[str, ...]:
    from models.explain import releases
    from streams.worklist import masked

    return (
        item.id,
        words(item.kind),
        item.state,
        age(item.since),
        item.facility or "",
        str(item.service_date or ""),
        masked(item.patient, show_patients) or "",
        releases(item),
    )


def show_item(read: Read, name: str, *, show_patients: bool) -> None:
    """One item whole; what the source sent only where patients may be shown. Raises ``WorklistError``."""
    from models.explain import explain
    from streams.settings import Settings
    from streams.worklist import WorklistError, named, told

    item = asyncio.run(read(Settings.load(), named(name), whole=True)).get(name)
    if item is None:
        raise WorklistError(f"{name}: nothing of this name is on the list")
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
