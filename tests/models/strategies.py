"""Generated statements: few procedures, days, services and versions, so that they meet each other often."""

from collections.abc import Sequence
from datetime import date

import msgspec
from hypothesis import strategies as st

from models.codes import REVENUE_CODES, Service, code_on
from models.procedures import ProcedureEvent, Reporting, Status, Stream, VersionKind

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
    patient: str, source: str, procedure: int, version: int, status: Status, content: int
) -> ProcedureEvent:
    """One statement without an event id."""
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
