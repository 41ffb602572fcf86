"""Generated inputs: few patients, procedures, days and versions, so that they meet each other often."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec
from hypothesis import strategies as st

from models.account import Spoken
from models.billing import Acknowledged
from models.codes import REVENUE_CODES, Service, code_on
from models.commands import Merge
from models.procedures import ProcedureEvent, Reporting, Status, Stream, VersionKind
from models.standing import Key
from tests.models.people import NOON, spoken

PATIENTS = ("UH|0001", "UH|0002")
DATES = (date(2025, 3, 9), date(2025, 3, 10))
SERVICES = (Service.COLLECTION, Service.ADMINISTRATION)
FACILITIES = ("north", "south")
SOURCES = {
    "lab": VersionKind.NUMBER,
    "infusion": VersionKind.RECORDED,
    "desk": VersionKind.MESSAGE_TIME,
}
VERSIONS = {
    VersionKind.NUMBER: tuple(f"{number:020}" for number in range(1, 4)),
    VersionKind.RECORDED: tuple(f"2025-03-10T0{hour}:00:00.000000Z" for hour in range(1, 4)),
    VersionKind.MESSAGE_TIME: tuple(f"2025-03-10T0{hour}:00:00.000000Z" for hour in range(1, 5)),
}
CONTENTS = tuple(
    (service, day, stream, reporting, facility, account)
    for service in SERVICES
    for day in DATES
    for stream in Stream
    for reporting in (Reporting.SEPARATE, Reporting.SEPARATE, Reporting.IN_PRODUCT)
    for facility in FACILITIES
    for account in ("A1", "A2")
)
"""What a statement may say. The digest names it, as a digest does."""


def statement(
    patient: str,
    source: str,
    procedure: int,
    version: int,
    status: Status,
    content: int,
    *,
    unique: bool = False,
) -> ProcedureEvent:
    """One statement without an event id. Not unique: its id under another patient is another procedure."""
    kind = SOURCES[source]
    service, day, stream, reporting, facility, account = CONTENTS[content]
    bare = status is not Status.PERFORMED and content % 3 == 0
    return ProcedureEvent(
        event_id="",
        received=0,
        source=source,
        procedure_id=f"P{procedure}",
        patient=patient,
        stated_patient=patient,
        version_kind=kind,
        version=VERSIONS[kind][version % len(VERSIONS[kind])],
        status=status,
        digest=f"{content:032x}",
        settings="s",
        facility=facility,
        reporting=reporting,
        code=None if bare else code_on(service, day),
        revenue_code=REVENUE_CODES[service],
        account_number=account,
        stream=None if bare else stream,
        service=None if bare else service,
        service_date=None if bare else day,
        survivor=(f"{content % 5}",),
        unique=unique,
    )


statements = st.builds(
    statement,
    patient=st.sampled_from((PATIENTS[0], PATIENTS[0], PATIENTS[0], PATIENTS[1])),
    source=st.sampled_from(sorted(SOURCES)),
    procedure=st.integers(1, 3),
    version=st.integers(0, 3),
    status=st.sampled_from((Status.PERFORMED, Status.PERFORMED, Status.PERFORMED, *Status)),
    content=st.integers(0, len(CONTENTS) - 1),
)


def logged(said: Sequence[ProcedureEvent]) -> list[ProcedureEvent]:
    """The statements as they lie in a log: each with its own event id."""
    return [
        msgspec.structs.replace(event, event_id=f"lab.procedures:0:{offset}:0", received=offset)
        for offset, event in enumerate(said)
    ]


@st.composite
def logs(draw: st.DrawFn, most: int = 25) -> list[ProcedureEvent]:
    """A log of statements, some of them sent again."""
    said = draw(st.lists(statements, min_size=1, max_size=most))
    again = draw(st.lists(st.sampled_from(said), max_size=5))
    return logged(draw(st.permutations([*said, *again])))


MERGEABLE = (*PATIENTS, "UH|0003")
UNIQUE = {"lab": True, "infusion": True, "desk": False}
"""Whether the ids of a source name the same procedure under whatever patient."""
NAMES = 6
"""Commands are named by their place, so that few names meet each other: modulo this."""
KEYS = st.builds(
    Key,
    patient=st.sampled_from(MERGEABLE),
    stream=st.sampled_from(Stream),
    service=st.sampled_from(SERVICES),
    service_date=st.sampled_from(DATES),
)


class Acked(NamedTuple):
    """Billing says something of a charge."""

    charge: int
    """Of all that were written so far, that many from the first; modulo their number."""
    status: Acknowledged


class Ruled(NamedTuple):
    """A person rules on something."""

    item: int
    """Of all that waits for a ruling now, that many from the first; modulo their number."""
    apply: bool


class Restated(NamedTuple):
    """Changed settings are applied to a statement, and make of it what they would of another content."""

    statement: int
    """Of all that were said so far, that many from the first; modulo their number."""
    content: int
    at: int


class PutAside(NamedTuple):
    """A source sends a record that is held, or cannot be read."""

    meant: ProcedureEvent
    """What it says, once that is repaired. It has no event id yet."""
    dead: bool


class Reads(StrEnum):
    """What a record that was put aside turns out to be when a person wants it taken in."""

    AS_MEANT = "as meant"
    HELD = "held"
    NOT_OURS = "not ours"
    NOT_AT_ALL = "not at all"


class Decided(NamedTuple):
    """A person decides about a record that was put aside, perhaps not the first one to do so."""

    item: int
    """Of all that was ever put aside, that many from the first; modulo their number."""
    take_in: bool
    reads: Reads


Input = ProcedureEvent | Spoken | Acked | Ruled | Restated | PutAside | Decided
"""What may happen to a network of patients."""

stated = st.builds(
    lambda patient, source, **more: statement(patient, source, unique=UNIQUE[source], **more),
    patient=st.sampled_from((PATIENTS[0], *MERGEABLE)),
    source=st.sampled_from(sorted(SOURCES)),
    procedure=st.integers(1, 3),
    version=st.integers(0, 3),
    status=st.sampled_from((Status.PERFORMED, Status.PERFORMED, Status.PERFORMED, *Status)),
    content=st.integers(0, len(CONTENTS) - 1),
)


@st.composite
def commands(draw: st.DrawFn) -> Spoken:
    """A command about units or patients. Its name may be that of another: then it is the same command, but
    for what a person who uses a name twice must not say."""
    kind = draw(st.sampled_from(("allow_unit", "take_back_unit", "opening_balance", "merge", "undo_merge")))
    name, other = (f"{kind}-{draw(st.integers(1, NAMES))}" for kind in (kind, _named(kind)))
    key = draw(KEYS)._asdict()
    losing, surviving = draw(st.permutations(MERGEABLE))[:2]
    minute = draw(st.integers(0, 3))
    match kind:
        case "take_back_unit":
            more = {"allowed_by": other, **key}
        case "merge":
            more = {"losing": losing, "surviving": surviving, "time": NOON + timedelta(minutes=minute)}
        case "undo_merge":
            more = {"merge": other, "losing": losing, "surviving": surviving}
        case _:
            more = key
    return spoken(kind, name, **more)


def _named(kind: str) -> str:
    """The kind of the command that one of this kind names."""
    return {"take_back_unit": "allow_unit", "undo_merge": "merge"}.get(kind, kind)


def once(said: Iterable[Spoken]) -> list[Spoken]:
    """Commands of which no two of one name say different things: a name is used for one of them only."""
    first: dict[str, Spoken] = {}
    for one in said:
        assert one.command is not None
        first.setdefault(one.command.id, one)
    return [*first.values()]


acknowledgements = st.builds(Acked, charge=st.integers(0, 9), status=st.sampled_from(Acknowledged))
forgets = st.builds(
    lambda patient, before, number: spoken("forget", f"forget-{number}", patient=patient, before=before),
    patient=st.sampled_from(MERGEABLE),
    before=st.sampled_from(DATES),
    number=st.integers(1, 99),
)
rulings = st.builds(Ruled, item=st.integers(0, 4), apply=st.booleans())
restatements = st.builds(
    Restated,
    statement=st.integers(0, 9),
    content=st.integers(0, len(CONTENTS) - 1),
    at=st.integers(1, 3),
)

put_aside = st.builds(PutAside, meant=stated, dead=st.booleans())
decisions = st.builds(
    Decided,
    item=st.integers(0, 3),
    take_in=st.sampled_from((True, True, True, False)),
    reads=st.sampled_from(Reads),
)


@st.composite
def inputs(draw: st.DrawFn, most: int = 15, *, timeless: bool = False) -> list[Input]:
    """A log of inputs, some of them sent again.

    ``timeless``: only those whose effect does not depend on when they come.
    """
    said = draw(st.lists(stated, min_size=1, max_size=most))
    again = draw(st.lists(st.sampled_from(said), max_size=3))
    told = once(draw(st.lists(commands(), max_size=8)))
    told = [*_apart(told)] if timeless else told
    told += [_sent_again(one) for one in draw(st.lists(st.sampled_from(told), max_size=2))] if told else []
    later: list[Input] = []
    if not timeless:
        for happening in (acknowledgements, rulings, restatements):
            later += draw(st.lists(happening, max_size=4))
        later += once(draw(st.lists(forgets, max_size=1)))
    aside = [] if timeless else draw(st.lists(put_aside, min_size=1, max_size=2))
    later += draw(st.lists(decisions, max_size=6)) if aside else []
    return [*aside, *draw(st.permutations([*logged([*said, *again]), *told, *later]))]


def _apart(said: Iterable[Spoken]) -> Iterator[Spoken]:
    """Commands without merges that are against another: that one is refused depends on what came before."""
    losing: set[str] = set()
    for one in said:
        if isinstance(one.command, Merge):
            if one.command.losing in losing or one.command.losing > one.command.surviving:
                continue
            losing.add(one.command.losing)
        yield one


def _sent_again(one: Spoken) -> Spoken:
    """The same command in another record."""
    return one._replace(event_id=spoken("discard", "d", item="i").event_id)
