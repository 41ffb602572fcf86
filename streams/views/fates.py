"""Fates: what would become of items, in sentences, before anything is done."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from models.billing import Decision, Outcome
from models.entries import decode_entry
from models.explain import REASONS, explain, line, subject
from models.procedures import ProcedureEvent
from models.worklist import Kind
from streams.views.worklist import Foreseen, Would


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of one item, in sentences."""

    id: str
    name: str
    goes: bool
    """Whether the command would be carried out."""
    said: list[str]
    then: list[str] = []
    """What would be decided of it."""
    billing: list[str] = []
    """Charges and credits that would be written."""
    others: dict[str, list[str]] = {}
    """By event id, what else would be decided."""


def fate_of(
    item: str,
    name: str,
    would: Would | None,
    foreseen: Mapping[bytes, Foreseen | None],
    *,
    whole: bool,
    unanswered: bool,
) -> Fate:
    """``would``: None where nobody has the item, or nobody answers for it (``unanswered``). ``foreseen``: by
    entry what its ledger would make of it. ``whole``: whoever asks may see what the source sent."""
    refused = _refused(would, unanswered)
    if would is None or refused:
        return Fate(id=item, name=name, goes=False, said=refused)
    others = _by_event(would.decisions, whole=whole)
    if not whole:
        read = would.item.kind is Kind.DEAD_LETTER and (would.entries or would.passed_on)
        said = ["It would be read now, and go on its way."] if read else []
        return Fate(id=item, name=name, goes=True, said=said, then=others.get(item, []))
    posted = [found for entry in would.entries if (found := foreseen.get(entry)) is not None]
    for found in posted:
        others |= _by_event(found.decisions, whole=True)
    then = others.pop(item, [])
    billing = [line(event) for found in posted for event in found.billing_events]
    said = [*_taken(would), *_billed(would, foreseen, billing)]
    return Fate(id=item, name=name, goes=True, said=said, then=then, billing=billing, others=others)


def _refused(would: Would | None, unanswered: bool) -> list[str]:
    """Why nothing would be done; empty if something would."""
    if would is None:
        known = "Nothing of this name is on the list."
        return ["The worker that has it does not answer: try again." if unanswered else known]
    if would.decision is None or would.decision.outcome is Outcome.APPLIED:
        return []
    reason = would.decision.reason
    return [
        *([REASONS[reason]] if reason else []),
        *(f"{each.field}: expected {each.detail}." for each in would.decisions if each.field),
    ]


def _taken(would: Would) -> Iterator[str]:
    """What the item would be taken for."""
    if would.decision is None:
        yield "The rule fails on it: a defect, to be redriven after its repair."
    for entry in map(decode_entry, would.entries):
        if isinstance(entry, ProcedureEvent):
            yield f"Read as: {subject(entry)}."
    if would.passed_on:
        yield "It would go on its way again: what comes of it is decided there."
    if would.decision and not (would.decisions or would.entries or would.passed_on):
        yield "It would be off the list. Nothing would be charged or credited."


def _billed(would: Would, foreseen: Mapping[bytes, Foreseen | None], billing: Iterable[str]) -> Iterator[str]:
    found = [foreseen.get(entry) for entry in would.entries]
    if any(each and each.failed for each in found):
        yield "The ledger's rule fails on it: it would become a dead letter."
    elif found and not foreseen:
        yield "What it would charge is shown for one item at a time."
    elif None in found:
        yield "What it would charge cannot be told now: the worker of its ledger does not answer."
    elif found and not billing:
        yield "No charge or credit would be written."


def _by_event(decisions: Iterable[Decision], *, whole: bool) -> dict[str, list[str]]:
    return {decision.event_id: sentences(decision, whole=whole) for decision in decisions}


def sentences(decision: Decision, *, whole: bool) -> list[str]:
    """What was decided; without ``whole`` nothing in them is what the source sent."""
    own = replace(decision, cause=decision.event_id)
    return explain(own if whole else replace(own, covered_by=None, warnings=()))
