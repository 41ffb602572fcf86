"""Survivors: whose charges those of a merged patient are, computed from all merges at once."""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import NamedTuple


class Merged(NamedTuple):
    """A person says that two patients are the same."""

    time: datetime
    name: str
    """Id of the command. Orders merges of the same moment."""
    losing: str
    surviving: str


def taken(merges: Iterable[Merged], undone: Set[str] = frozenset()) -> dict[str, Merged]:
    """The merges that hold, by losing patient.

    In the order of their times, so that it does not matter which was heard first. Left out are those that
    were undone, whenever; then a merge of a patient who is merged already, and one that closes a circle.
    """
    hold: dict[str, Merged] = {}
    for merge in sorted({*merges}):
        if merge.name in undone or merge.losing in hold:
            continue
        if survivor(merge.surviving, hold) != merge.losing:
            hold[merge.losing] = merge
    return hold


def survivor(patient: str, hold: Mapping[str, Merged]) -> str:
    """The patient at the end of all merges of ``patient``."""
    while patient in hold:
        patient = hold[patient].surviving
    return patient
