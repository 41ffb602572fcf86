"""Sheet: a reconciliation for spreadsheets, the same columns wherever it is asked for."""

from collections.abc import Iterator, Mapping

from models.codes import Service
from models.reconciliation import OUTCOMES, Line, in_order
from models.tally import Bucket

Cell = str | int
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes what begins so for something to compute."""


def rows(lines: Mapping[Bucket, Line]) -> Iterator[list[Cell]]:
    """A head, and a row for each bucket. No total, which a spreadsheet would add once more."""
    yield [
        *("service_date", "facility", "source", "in"),
        *(outcome.value for outcome in OUTCOMES),
        *("in_flight", "charges", "credits", "standing", "never_acknowledged", "late"),
        *(f"{kind}_{service}" for service in Service for kind in ("charges", "credits")),
    ]
    for bucket in sorted(lines, key=in_order):
        line = lines[bucket]
        day = bucket.service_date
        outcomes = line.outcomes
        yield [
            *(day.isoformat() if day else "", _text(bucket.facility), _text(bucket.source), line.came_in),
            *(outcomes.get(outcome, 0) for outcome in OUTCOMES),
            *(line.in_flight, line.charges, line.credits, line.standing, line.never_acknowledged, line.late),
            *(count for each in line.services.values() for count in (each.charges, each.credits)),
        ]


def _text(name: str | None) -> str:
    return f"'{name}" if name and name.startswith(_FORMULA) else name or ""
