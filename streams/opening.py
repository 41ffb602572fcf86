"""Opening balance: a file of the units that the system in use before go-live charged."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from models.codes import SERVICE_OF_CODE, Service
from models.commands import OpeningBalance
from models.facilities import Facilities
from models.procedures import SEPARATOR, Stream
from streams.errors import PerdiemError

FIELDS = ("patient", "stream", "service", "code", "service_date")
NEEDED = {"patient", "stream", "service_date"}
"""What the header line of CSV names at least."""
SHOWN = 20
"""Problems told at most; the rest is counted."""

E = TypeVar("E", bound=StrEnum)


class OpeningError(PerdiemError):
    """A file that cannot be loaded: one line for each problem. No value of the file stands in any."""


class Unit(NamedTuple):
    """One unit that was charged."""

    patient: str
    stream: Stream
    service: Service
    service_date: date


def read_units(path: Path, facilities: Facilities) -> list[Unit]:
    """The units of a file of CSV with a header line, or of JSON lines. Raises ``OpeningError``."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OpeningError(f"{path}: a readable file expected: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OpeningError(f"{path}: text in UTF-8 expected") from None
    units, wrong = [], []
    for number, row in _rows(path, text):
        try:
            units.append(_unit(row, facilities))
        except ValueError as error:
            wrong.append(f"{path}: line {number}: {error}")
    if wrong:
        more = [f"{path}: {len(wrong) - SHOWN} lines more"] if len(wrong) > SHOWN else []
        raise OpeningError("\n".join([*wrong[:SHOWN], *more]))
    return units


def commands(units: list[Unit], user: str, time: datetime, reason: str) -> list[OpeningBalance]:
    """One command for each unit. Its id follows from its content, and from how many equal ones precede it."""
    seen: Counter[Unit] = Counter()
    made = []
    for unit in units:
        seen[unit] += 1
        content = json.dumps([*map(str, unit), seen[unit]])
        name = f"opening-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
        made.append(OpeningBalance(id=name, user=user, time=time, reason=reason, **unit._asdict()))
    return made


def _rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Number and content of each line that is not empty; None for what is neither CSV nor JSON.

    Raises ``OpeningError`` for CSV without a header line: else every line would be told to be wrong.
    """
    if text.lstrip().startswith("{"):
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except ValueError:
                    yield number, None
        return
    rows = csv.DictReader(io.StringIO(text), restkey="more", skipinitialspace=True)
    if text.strip() and not {*(rows.fieldnames or ())} >= NEEDED:
        raise OpeningError(f"{path}: no header line: expected patient, stream, service or code, service_date")
    for row in rows:
        yield rows.line_num, {name: text for name, text in row.items() if text not in (None, "")}


def _unit(row: Any, facilities: Facilities) -> Unit:
    """Raises ``ValueError`` that names the field."""
    if not isinstance(row, dict):
        raise ValueError("expected an object of JSON")
    if row.keys() - set(FIELDS):
        raise ValueError(f"expected no fields but {', '.join(FIELDS)}")
    patient = facilities.patient(str(row.get("patient", "")))
    if patient is None:
        raise ValueError(f"patient: expected AUTHORITY{SEPARATOR}MRN of an authority of the facilities file")
    try:
        day = date.fromisoformat(str(row.get("service_date")))
    except ValueError:
        raise ValueError("service_date: expected a date YYYY-MM-DD") from None
    return Unit(patient, _one_of(Stream, row, "stream"), _service(row), day)


def _service(row: dict[str, Any]) -> Service:
    by_code = SERVICE_OF_CODE.get(str(row["code"]).strip().upper()) if "code" in row else None
    if "code" in row and by_code is None:
        raise ValueError("code: expected a code of the four services")
    if "service" not in row and by_code is not None:
        return by_code
    named = _one_of(Service, row, "service")
    if by_code not in (None, named):
        raise ValueError("code: expected one of the service")
    return named


def _one_of(kind: type[E], row: dict[str, Any], field: str) -> E:
    try:
        return kind(str(row.get(field)).strip().lower())
    except ValueError:
        raise ValueError(f"{field}: expected one of {', '.join(kind)}") from None
