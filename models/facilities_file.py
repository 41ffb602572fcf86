"""The facilities file: TOML, checked as a whole before anything uses it. See docs/facilities.md."""

import tomllib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from models.chargemaster import duplicate_codes
from models.expected import expected
from models.facilities import Authority, Facilities, Facility


class FacilitiesError(ValueError):
    """What is wrong with a facilities file: one line for each problem, naming facility and field."""


def parse(text: str) -> Facilities:
    """Read a facilities file. Raises ``FacilitiesError`` with one line for each problem."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FacilitiesError(f"not TOML: {error}") from None
    try:
        facilities = Facilities.model_validate(content)
    except ValidationError as error:
        raise FacilitiesError("\n".join(_lines(error, content))) from None
    problems = [*_clashes(facilities), *_dangling(facilities), *_misdated(facilities)]
    if problems:
        raise FacilitiesError("\n".join(problems))
    return facilities


def _lines(error: ValidationError, content: dict[str, Any]) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_context=False):
        said = _WORDS.get(problem["type"]) or f"expected {expected(problem['msg'])}"
        yield f"{_place(problem['loc'], content)}: {said}"


_WORDS = {"missing": "is needed", "extra_forbidden": "is not a field of this table"}


def _place(loc: tuple[int | str, ...], content: dict[str, Any]) -> str:
    """``('facilities', 0, 'sources', 1, 'version')`` as 'facility lakeside, sources, entry 2, version'."""
    singular = {"facilities": "facility", "authorities": "authority"}
    said, where = "", list(loc)
    if len(where) > 1 and where[0] in singular and isinstance(where[1], int):
        entry = content[where[0]][where[1]]
        if isinstance(entry, dict) and entry.get("id"):
            said, where = f", {singular[str(where[0])]} {entry['id']}", where[2:]
    joint = ", "
    for part in where:
        said += f", entry {part + 1}" if isinstance(part, int) else f"{joint}{part}"
        joint = ", " if isinstance(part, int) else "."
    return said.removeprefix(", ")


def _clashes(facilities: Facilities) -> Iterator[str]:
    """Names that stand in two places."""
    yield from _twice(_names("authorities", "authority", facilities.authorities))
    yield from _twice(_names("facilities", "facility", facilities.facilities))
    sources = [(facility, source) for facility in facilities.facilities for source in facility.sources]
    yield from _twice((source.id, f"facility {facility.id}, sources.id") for facility, source in sources)
    yield from _twice(
        (" for ".join(pair), f"facility {facility.id}, source {source.id}")
        for facility, source in sources
        for pair in facility.senders(source)
    )
    for facility in facilities.facilities:
        for where, settings in (
            ("charges", facility),
            *((f"periods from {p.starts}, charges", p) for p in facility.periods),
        ):
            for code in duplicate_codes(settings.charges):
                yield f"facility {facility.id}, {where}: {code!r} stands in two places"


def _names(table: str, kind: str, entries: Iterable[Authority | Facility]) -> Iterator[tuple[str, str]]:
    """Each name with where it stands."""
    for number, entry in enumerate(entries, start=1):
        yield entry.id, f"{table}, entry {number}, id"
        for alias in entry.aliases:
            yield alias, f"{kind} {entry.id}, aliases"


def _twice(places: Iterable[tuple[str, str]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for name, place in places:
        other = first.setdefault(name, place)
        if other is not place:
            yield f"{place}: {name!r} stands in two places, also in {other}"


def _dangling(facilities: Facilities) -> Iterator[str]:
    """Names of authorities that the file does not declare."""
    for facility in facilities.facilities:
        for source in facility.sources:
            if source.default_authority and facilities.authority(source.default_authority) is None:
                yield (
                    f"facility {facility.id}, source {source.id}, default_authority: "
                    f"expected an authority of this file, not {source.default_authority!r}"
                )


def _misdated(facilities: Facilities) -> Iterator[str]:
    """Periods that overlap or end before they start."""
    for facility in facilities.facilities:
        periods = sorted(facility.periods, key=lambda period: period.starts)
        for period in periods:
            if period.to and period.to < period.starts:
                yield f"facility {facility.id}, periods: from {period.starts} ends before it starts"
        for before, after in pairwise(periods):
            if before.starts == after.starts or (before.to and before.to >= after.starts):
                yield f"facility {facility.id}, periods: from {before.starts} and from {after.starts} overlap"
