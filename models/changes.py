"""Changes: charges and credits in lines, and what a charge says otherwise than the one credited for it."""

from collections.abc import Iterable, Iterator

import msgspec

from models.billing import BillingEvent, Kind
from models.explain import line
from models.what_if import differing

PRIVATE = frozenset({"patient", "account_number", "encounter_number"})
"""Fields that name a patient."""


def changes(events: Iterable[BillingEvent], *, show_patients: bool) -> Iterator[str]:
    """A line for each of ``events``, and below a charge one for each field that was credited as another.

    What names a patient is said only where patients may be shown.
    """
    credited: dict[str, BillingEvent] = {}
    for event in events:
        yield line(event)
        name = f"{event.procedure.source}|{event.procedure.procedure_id}"
        if event.kind is Kind.CREDIT:
            credited[name] = event
        elif name in credited:
            former = credited[name]
            for field in differing(former, event):
                if field in PRIVATE and not show_patients:
                    yield f"  {field}: another one; --show-patients shows it"
                else:
                    yield f"  {field}: {_said(getattr(former, field))} -> {_said(getattr(event, field))}"


def _said(value: object) -> str:
    if value in (None, ()):
        return "nothing"
    return str(value) if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
