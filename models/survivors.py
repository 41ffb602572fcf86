"""Survivors: whose charges those of a merged patient are, computed from all merges at once."""

from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple


class Merged(NamedTuple):
    """A person says that two patients are the same."""

    time: int
    """Milliseconds since the epoch: when it was decided."""
    name: str
    """Id of the command. Orders merges of the same moment."""
    losing: str
    surviving: str


def taken(merges: Iterable[Merged], over: Set[str] = frozenset()) -> dict[str, Merged]:
    """The merges that hold, by losing patient.

    In the order of their times, so that it does not matter which was heard first. Left out are those whose
    names are in ``over``; then a merge of a patient who is merged already, and one that closes a circle.
    """
    hold: dict[str, Merged] = {}
    for merge in sorted({*merges}):
        if merge.name in over or merge.losing in hold:
            continue
        if survivor(merge.surviving, hold) != merge.losing:
            hold[merge.losing] = merge
    return hold


def against(merge: Merged, merges: Iterable[Merged]) -> bool:
    """Whether others that were decided before ``merge`` can have kept it from holding.

    They need not hold now: each may have been undone, or refused, since.
    """
    earlier = [other for other in merges if other < merge]
    reached, ahead = {merge.surviving}, [merge.surviving]
    while ahead:
        patient = ahead.pop()
        further = {other.surviving for other in earlier if other.losing == patient} - reached
        reached |= further
        ahead += further
    return merge.losing in reached or any(other.losing == merge.losing for other in earlier)


def survivor(patient: str, hold: Mapping[str, Merged]) -> str:
    """The patient at the end of all merges of ``patient``."""
    while patient in hold:
        patient = hold[patient].surviving
    return patient
