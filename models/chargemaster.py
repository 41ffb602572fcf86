"""A facility's chargemaster: which of its charge codes and texts stand for which of the four services."""

import re
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from models.codes import Service
from models.procedures import Stream

LOOKUPS_KEPT = 4096
"""Distinct (charge code, text) pairs remembered: chargemasters have tens, free text must not fill memory."""


NOT_OURS = "not_ours"
"""What the file says of a charge that is none of the four services: a product, say."""


def _service(value: object) -> Service | None:
    if value is None or value == NOT_OURS:
        return None
    try:
        return Service(str(value))
    except ValueError:
        raise ValueError(f"one of {', '.join(Service)}, {NOT_OURS}") from None


class ChargeLine(BaseModel):
    """Charge codes and texts of one meaning. In both, ``*`` stands for any characters.

    Codes are compared as written, texts without regard to case and to repeated blanks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Annotated[Service | None, BeforeValidator(_service)]
    """None: not one of the four."""
    stream: Stream | None = None
    codes: tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)], ...] = ()
    texts: tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)], ...] = ()


class Charge(NamedTuple):
    """What the chargemaster says of one charge code and text."""

    service: Service | None
    """None: not one of the four."""
    stream: Stream | None
    by_code: bool
    rank: int | None
    """Place of the charge code in the order listed; None if only the text told."""


class Chargemaster:
    """Looks up charge codes first exactly, then by pattern; texts only where no code is listed.

    Among patterns the first listed holds.
    """

    def __init__(self, lines: tuple[ChargeLine, ...]) -> None:
        self._exact: dict[str, Charge] = {}
        self._codes: list[tuple[re.Pattern[str], Charge]] = []
        self._texts: list[tuple[re.Pattern[str], Charge]] = []
        rank = 0
        for line in lines:
            for code in line.codes:
                charge = Charge(line.service, line.stream, by_code=True, rank=rank)
                rank += 1
                if "*" in code:
                    self._codes.append((_pattern(code), charge))
                else:
                    self._exact.setdefault(code, charge)
            told = Charge(line.service, line.stream, by_code=False, rank=None)
            self._texts.extend((_pattern(_plain(text)), told) for text in line.texts)
        self.find = lru_cache(LOOKUPS_KEPT)(self._find)

    def _find(self, code: str | None, text: str | None) -> Charge | None:
        if code:
            exact = self._exact.get(code)
            if exact is not None:
                return exact
            for pattern, charge in self._codes:
                if pattern.fullmatch(code):
                    return charge
        if text:
            plain = _plain(text)
            for pattern, charge in self._texts:
                if pattern.fullmatch(plain):
                    return charge
        return None


def duplicate_codes(lines: tuple[ChargeLine, ...]) -> list[str]:
    """Charge codes listed more than once."""
    seen: set[str] = set()
    twice = []
    for line in lines:
        for code in line.codes:
            if code in seen:
                twice.append(code)
            seen.add(code)
    return twice


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, glob.split("*"))), re.DOTALL)
