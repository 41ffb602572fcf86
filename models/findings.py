"""Findings: what an audit can find, under four figures, each zero when all is well."""

from enum import StrEnum
from typing import NamedTuple


class Figure(StrEnum):
    """What can be wrong."""

    MISSING = "missing"
    """A charge that should stand does not."""
    DOUBLED = "doubled"
    """A charge stands that should not, or the same was written twice."""
    UNEXPLAINED = "unexplained"
    """An event without a decision, a billing event no decision tells of, or a decision that is not true."""
    OUT_OF_SEQUENCE = "out_of_sequence"
    """Charges and credits do not alternate, a credit is no copy, or a number is left out."""


class Finding(NamedTuple):
    """One thing that is wrong, named by a billing event's or a procedure event's id."""

    figure: Figure
    id: str
    what: str
