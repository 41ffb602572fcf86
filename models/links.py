"""Links: which patient was merged into which.

Of the merges that are known those that were neither undone nor refused are taken in the order (time, id): of
two that cross each other on their way the same one holds, whichever is heard first. One is refused that would
close a circle, or whose losing patient was merged before. That is final, as for every other command: who was
told so takes it as over, and the undoing of another merge must not carry it out.
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
    """Why it never has an effect again."""

    @property
    def holding(self) -> Merge | None:
        """The merge, unless it was undone or refused."""
        return None if self.undo or self.refused else self.merge

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
    first = _first(said, graph)
    if first is not None and first.event_id != said.event_id:
        repeated = _decision(said, decided + 1, Outcome.REPEATED, of=first.event_id)
        return Linked([], [], [], [repeated])
    if isinstance(said, Undo):
        return _undo(said, graph, at, decided + 1)
    if first is not None:
        return Linked([], [], [], [])  # a replay, and more may have been decided about it since
    return _merge(said, graph, at, decided + 1)


def _merge(said: Merge, graph: Graph, at: int, sequence: int) -> Linked:
    known = graph.link(said.id) or Link(id=said.id)
    known = replace(known, merge=said, losing=said.losing, surviving=said.surviving, sequence=sequence)
    if known.undo is not None:
        undone = _decision(said, sequence, Outcome.UNDONE, of=known.undo.event_id)
        return Linked([known], [], [], [undone])
    before = _connected(known.patients, graph)
    after = {**before, known.id: known}
    decisions = []
    against = _against(after.values())
    if known.id not in against:
        decisions.append(_decision(said, sequence, Outcome.APPLIED))
    for merge_id, reason in against.items():
        each = after[merge_id]
        number = sequence if each is known else each.sequence + 1
        after[merge_id] = replace(each, sequence=number, refused=reason)
        assert each.merge is not None
        decisions.append(_decision(each.merge, number, Outcome.REFUSED, reason, cause=said.event_id))
    changed = [each for each in after.values() if each != before.get(each.id)]
    return Linked(changed, _told(before, after, said, at), [], decisions)


def _undo(said: Undo, graph: Graph, at: int, sequence: int) -> Linked:
    own = Link(id=_undoing(said), undo=said)
    known = graph.link(said.merge) or Link(id=said.merge, losing=said.losing, surviving=said.surviving)
    decisions = [_decision(said, sequence, Outcome.APPLIED)]
    if known.undo is not None and known.undo.id == said.id:
        return Linked([], [], [], decisions)  # a replay
    if known.undo is not None:
        return _refuse(said, own, sequence, Reason.ALREADY_UNDONE, known.undo)
    if known.merge is not None and known.refused is not None:
        return _refuse(said, own, sequence, Reason.NEVER_MERGED, known.merge)
    undone = replace(known, undo=said)
    if known.merge is None:
        return Linked([undone, own], [], [], decisions)
    undone = replace(undone, sequence=known.sequence + 1)
    decisions.append(_decision(known.merge, undone.sequence, Outcome.UNDONE, cause=said.event_id))
    before = _connected(known.patients, graph)
    after = {**before, known.id: undone}
    last = _survivors(before.values())[known.losing]
    review = Review(patient=last, event_id=said.event_id, merge=known.id, since=known.merge.time)
    return Linked([undone, own], _told(before, after, said, at), [review], decisions)


def _refuse(said: Undo, own: Link, sequence: int, reason: Reason, of: Merge | Undo) -> Linked:
    return Linked([own], [], [], [_decision(said, sequence, Outcome.REFUSED, reason, of=of.event_id)])


def _first(said: Merge | Undo, graph: Graph) -> Merge | Undo | None:
    """The command of this id as it was heard first."""
    if isinstance(said, Merge):
        link = graph.link(said.id)
        return link.merge if link else None
    link = graph.link(_undoing(said))
    return link.undo if link else None


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


def _told(before: dict[str, Link], after: dict[str, Link], said: Merge | Undo, at: int) -> list[Survivor]:
    """What the patients are told whose survivor is another one now."""
    was, now = _survivors(before.values()), _survivors(after.values())
    return [
        Survivor(patient=patient, event_id=said.event_id, survivor=now.get(patient), at=at)
        for patient in sorted({*was, *now})
        if was.get(patient) != now.get(patient)
    ]


def _against(links: Iterable[Link]) -> dict[str, Reason]:
    """Why merges can no longer hold, by id: each is against those before it in the order (time, id)."""
    merged: dict[str, str] = {}
    refused: dict[str, Reason] = {}
    holding = [merge for each in links if (merge := each.holding)]
    for merge in sorted(holding, key=lambda each: (each.time, each.id)):
        if merge.losing in merged:
            refused[merge.id] = Reason.ALREADY_MERGED
        elif _root(merge.surviving, merged) == merge.losing:
            refused[merge.id] = Reason.WOULD_CYCLE
        else:
            merged[merge.losing] = merge.surviving
    return refused


def _survivors(links: Iterable[Link]) -> dict[str, str]:
    """By merged patient, whom it was merged into in the end."""
    merged = {merge.losing: merge.surviving for each in links if (merge := each.holding)}
    return {patient: _root(patient, merged) for patient in merged}


def _root(patient: str, merged: dict[str, str]) -> str:
    while patient in merged:
        patient = merged[patient]
    return patient


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
