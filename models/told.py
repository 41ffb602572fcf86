"""Told: everything said of a group of connected patients that decides what should stand."""

from collections.abc import Mapping, Sequence, Set
from datetime import date
from typing import NamedTuple

from models.entries import Opening, Override
from models.procedures import ProcedureEvent
from models.survivors import Merged, taken


class Told(NamedTuple):
    """What sources stated and what people decided. The order of the log matters in ``statements`` alone."""

    statements: Sequence[ProcedureEvent] = ()
    units: Sequence[Override | Opening] = ()
    """Given and taken back."""
    merges: Sequence[Merged] = ()
    undone: Set[str] = frozenset()
    """Names of the merges that were undone."""
    refused: Set[str] = frozenset()
    """Names of the merges that were refused, for good. Whether another was undone before only the order of
    one log can tell."""
    parked: Set[str] = frozenset()
    """Ids (``item_of``) of what would credit a charge on a claim, and nobody has ruled on."""
    rejected: Set[str] = frozenset()
    """Ids of what a person ruled against."""
    unmoved: Set[str] = frozenset()
    """Procedures, by key, that count although another patient has a higher statement: it is parked."""
    stays: Mapping[str, str] = {}
    """By procedure key: the patient who keeps it although its survivor is another one now; that is parked."""
    unmerged: Mapping[str, str] = {}
    """By stated patient: whose charges its own stay, whatever the merges say; the merge is parked."""
    watermarks: Mapping[str, date] = {}
    """By patient: service dates before it are not kept."""
    handed: Mapping[str, Set[str]] = {}
    """By procedure key: every patient that it was handed to, since whoever has it may forget it."""

    @property
    def merged(self) -> dict[str, Merged]:
        """The merges that hold, by losing patient."""
        return taken(self.merges, self.undone | self.refused)

    @property
    def without_effect(self) -> Set[str]:
        return self.parked | self.rejected
