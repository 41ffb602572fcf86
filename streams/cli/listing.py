"""How items of the worklist are shown: in a list, or one whole."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import chain
from textwrap import indent
from typing import TYPE_CHECKING, Any

from streams.cli import words
from streams.cli.foreseen import ask, lines

if TYPE_CHECKING:
    from models.explain import Order
    from models.worklist import Heard, Item, Kind
    from streams.settings import Settings
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
    from streams.worklist import masked, state_of

    return (
        item.id,
        words(item.kind),
        state_of(item),
        age(item.since),
        item.facility or "",
        str(item.service_date or ""),
        ", ".join(masked(each, show_patients) or "" for each in (item.patient, *item.others)),
        releases(item),
    )


def show_item(name: str, *kinds: "Kind", show_patients: bool) -> None:
    """One item whole; what the source sent only where patients may be shown. Raises ``WorklistError``."""
    from models.explain import explain
    from models.worklist import State
    from streams.commands import orders
    from streams.settings import Settings
    from streams.worklist import chosen, state_of, told

    settings = Settings.load()
    [item] = asyncio.run(chosen(settings, [name], *kinds, open_only=False, whole=True))
    events = [each.event_id for each in item.heard.values()]
    given = asyncio.run(orders(settings, events)) if events else {}
    for field, value in (told(item, show_patients) | {"state": state_of(item)}).items():
        if value not in (None, [], 0):
            print(f"{words(field)}: {', '.join(value) if isinstance(value, list) else value}")
    if item.decision is not None:
        past = item.state is not State.OPEN
        print(f"decided: {' '.join(explain(item.decision, past=past, orders=given))}")
    for each in item.heard.values():
        _show_heard(item, each, given.get(each.event_id), show_patients)
    if item.topic is not None:
        print(f"record: {item.topic}:{item.partition}:{item.offset}")
    for line in _foreseen(settings, item, show_patients):
        print(line)
    if item.value is not None and not show_patients:
        print(f"{len(item.value):,} bytes of the source: --show-patients shows them")
    elif item.value is not None:
        print(_readable(item.value))


def _show_heard(item: "Item", heard: "Heard", given: "Order | None", show_patients: bool) -> None:
    """A command on the item: who gave it, and what came of it; values filled in only with patients."""
    from models.commands import Release
    from models.explain import REASONS, ordered
    from models.filling import stated
    from models.worklist import Kind

    what = f"{ordered(given, 'close' if item.kind is Kind.ALERT else None)}. " if given else ""
    why = f" {REASONS[heard.reason]}" if heard.reason else ""
    print(f"command {heard.event_id}: {what}{words(heard.outcome).capitalize()}.{why}")
    for field, value in stated(given.fill) if isinstance(given, Release) else ():
        print(f"  filled in: {field}{f' = {value}' if show_patients else ''}")


def _foreseen(settings: "Settings", item: "Item", show_patients: bool) -> Iterator[str]:
    """What the one answer that changes something would bring about, of an item that nothing is missing of."""
    from models.commands import Reject, Release
    from models.worklist import Kind, State
    from streams.commands import stamp

    changing = {Kind.CORRECTION: Release, Kind.CLAIMED: Reject}
    if item.state is State.OPEN and item.kind in changing:
        said = changing[item.kind](item=item.id, **stamp("nobody", "preview"))
        yield f"If it is {said.command}{'ed' if isinstance(said, Reject) else 'd'}:"
        found = ask(settings, item, said)
        yield from (f"  {each}" for each in lines(found, show_patients=show_patients))


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
