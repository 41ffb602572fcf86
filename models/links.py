"""Links: which patient was merged into which, whatever the order in which merges and their undoing are heard.

All merges that are known and not undone are taken in the order (time, id). One is refused that would close a
circle, or whose losing patient was merged before. So who survives is a pure function of the set of merges.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from models.billing import Decision, Outcome, Reason
from models.entries import Review, Survivor


class Merge(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="merge"):
    """A person says that two patients are the same."""

    event_id: str
    id: str
    time: int
    """Milliseconds since the epoch: when it was decided."""
    losing: str
    surviving: str


class Undo(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="undo"):
    """A person takes the merge of this id back."""

    event_id: str
    id: str
    merge: str
    losing: str
    surviving: str


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is known of one merge; its undoing may be heard first."""

    id: str
    losing: str = ""
    surviving: str = ""
    merge: Merge | None = None
    undo: Undo | None = None
    sequence: int = 0
    """Of the last decision about the merge."""
    refused: Reason | None = None
    """Why it has no effect."""

    @property
    def patients(self) -> tuple[str, ...]:
        """Whom it connects: nobody, where it only remembers what an undoing named."""
        return (self.losing, self.surviving) if self.losing else ()


class Linked(NamedTuple):
    """What a command brings about."""

    links: list[Link]
    """Those that changed."""
    survivors: list[Survivor]
    reviews: list[Review]
    decisions: list[Decision]


class Graph(Protocol):
    """What is known of all links."""

    def link(self, name: str) -> Link | None:
        """The link that a merge of this id makes, or its undoing prevents."""

    def of(self, patient: str) -> Iterable[str]:
        """Ids of the links that name a patient."""


def link(said: Merge | Undo, graph: Graph, at: int, decided: int = 0) -> Linked:
    """Take in a merge or its undoing; ``at`` numbers what follows from it.

    ``decided``: how many decisions there are about it already, since it was a dead letter.
    """
    merge_id = said.id if isinstance(said, Merge) else said.merge
    known = graph.link(merge_id) or Link(id=merge_id, losing=said.losing, surviving=said.surviving)
    other = known.merge if isinstance(said, Merge) else known.undo
    if other is not None:
        return Linked([], [], [], _again(said, other, decided + 1))
    if isinstance(said, Undo) and (once := graph.link(_undoing(said))) and once.undo is not None:
        return Linked([], [], [], [_decision(said, decided + 1, Outcome.REPEATED, of=once.undo.event_id)])
    if isinstance(said, Merge):
        known = replace(known, merge=said, losing=said.losing, surviving=said.surviving, sequence=decided)
    else:
        known = replace(known, undo=said)
    before = _connected((known.losing, known.surviving), graph)
    held = merge_id in before and before[merge_id].merge is not None and not before[merge_id].refused
    after = {**before, merge_id: known}
    decisions = [_decision(said, decided + 1, Outcome.APPLIED)] if isinstance(said, Undo) else []
    reasons = _holding(after.values())[1]
    for each in [*after.values()]:
        reason = reasons.get(each.id)
        if each.merge is not None and (each.merge is said or reason != each.refused):
            after[each.id] = replace(each, sequence=each.sequence + 1, refused=reason)
            outcome = Outcome.REFUSED if reason else Outcome.APPLIED
            decisions.append(_decision(each.merge, each.sequence + 1, outcome, reason, cause=said.event_id))
    was, now = _survivors(before.values()), _survivors(after.values())
    survivors = [
        Survivor(patient=patient, event_id=said.event_id, survivor=now.get(patient), at=at)
        for patient in sorted({*was, *now})
        if was.get(patient) != now.get(patient)
    ]
    reviews = []
    if isinstance(said, Undo) and known.merge and held:
        reviews.append(
            Review(
                patient=was[known.losing],
                event_id=said.event_id,
                merge=merge_id,
                since=known.merge.time,
            )
        )
    changed = [each for each in after.values() if each != before.get(each.id)]
    if isinstance(said, Undo):
        changed.append(Link(id=_undoing(said), undo=said))
    return Linked(changed, survivors, reviews, decisions)


def _undoing(undo: Undo) -> str:
    """The id of a link that only remembers which merge an undoing named: its id is used once."""
    return f"undo:{undo.id}"


def _connected(patients: tuple[str, ...], graph: Graph) -> dict[str, Link]:
    """All links that these patients are connected by, by id."""
    found: dict[str, Link] = {}
    seen, ahead = set(), [*patients]
    while ahead:
        patient = ahead.pop()
        if patient in seen:
            continue
        seen.add(patient)
        for name in graph.of(patient):
            each = graph.link(name)
            if each is not None:
                found[name] = each
                ahead += each.patients
    return found


def _holding(links: Iterable[Link]) -> tuple[dict[str, str], dict[str, Reason]]:
    """Into whom each losing patient is merged, and why the other merges have no effect."""
    merged: dict[str, str] = {}
    refused: dict[str, Reason] = {}
    for merge, undo in sorted(
        ((each.merge, each.undo) for each in links if each.merge),
        key=lambda each: (each[0].time, each[0].id),
    ):
        if undo is not None:
            refused[merge.id] = Reason.ALREADY_DONE
        elif merge.losing in merged:
            refused[merge.id] = Reason.ALREADY_MERGED
        elif _root(merge.surviving, merged) == merge.losing:
            refused[merge.id] = Reason.WOULD_CYCLE
        else:
            merged[merge.losing] = merge.surviving
    return merged, refused


def _survivors(links: Iterable[Link]) -> dict[str, str]:
    """By merged patient, whom it was merged into in the end."""
    merged = _holding(links)[0]
    return {patient: _root(patient, merged) for patient in merged}


def _root(patient: str, merged: dict[str, str]) -> str:
    while patient in merged:
        patient = merged[patient]
    return patient


def _again(said: Merge | Undo, first: Merge | Undo, sequence: int) -> list[Decision]:
    """The same command once more, or another one that undoes what is undone."""
    if said.id != first.id:
        return [_decision(said, sequence, Outcome.REFUSED, Reason.ALREADY_DONE)]
    if said.event_id != first.event_id:
        return [_decision(said, sequence, Outcome.REPEATED, of=first.event_id)]
    if isinstance(said, Undo):
        return [_decision(said, sequence, Outcome.APPLIED)]
    return []  # a replay, and more may have been decided about it since


def _decision(
    said: Merge | Undo,
    sequence: int,
    outcome: Outcome,
    reason: Reason | None = None,
    *,
    of: str | None = None,
    cause: str | None = None,
) -> Decision:
    return Decision(
        event_id=said.event_id,
        sequence=sequence,
        cause=cause or said.event_id,
        outcome=outcome,
        reason=reason,
        of=of,
        patient=said.losing,
    )


encode_link = msgspec.json.Encoder().encode
decode_link = msgspec.json.Decoder(Merge | Undo).decode
encode_known = msgspec.json.Encoder().encode
decode_known = msgspec.json.Decoder(Link).decode
