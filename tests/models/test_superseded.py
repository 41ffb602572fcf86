"""What waits for a person and no longer has to: its item is closed, and a ruling on it is refused."""

from random import Random

import pytest

from models.billing import BillingEvent, Outcome, Reason
from models.entries import AnyEntry, Expiry, Moved, Survivor, item_of
from models.procedures import ProcedureEvent
from models.worklist import Item, State
from models.worklist import Kind as ItemKind
from tests.models.entered import (
    acknowledged,
    command_event,
    merged,
    opened,
    ruled,
    unmerged,
)
from tests.models.network import Network
from tests.models.said import TUESDAY, said, withdrawn

ADA, BEN, CAL = "UH|1", "UH|2", "UH|3"


@pytest.fixture
def network() -> Network:
    return Network(Random(0))


def of(patient: str, procedure_id: str = "A", version: int = 1, **more: object) -> ProcedureEvent:
    """A collection of that patient."""
    return said(procedure_id, version, patient=patient, **more)


def forget(patient: str) -> Expiry:
    return Expiry(patient=patient, event_id=command_event(), before=TUESDAY)


def moved(at: int) -> Moved:
    """Another patient has a higher statement of Ada's collection."""
    return Moved(patient=ADA, event_id="lab.procedures:1:7:0", procedure=f"lab|A|{ADA}", away=True, at=at)


def on_claim(network: Network, patient: str = ADA) -> BillingEvent:
    """The patient's charge, which billing put on a claim."""
    [charge] = network.standing(patient)
    network.hear(acknowledged(charge))
    return charge


def waiting(network: Network) -> list[Item]:
    return [item for item in network.items.values() if item.state is State.OPEN]


def superseded(network: Network) -> list[tuple[str, Reason | None]]:
    return [(item.id, item.reason) for item in network.items.values() if item.state is State.SUPERSEDED]


def rule(
    network: Network, item: str, *, apply: bool, patient: str = ADA
) -> tuple[int, Outcome, Reason | None]:
    """A person rules, before the list shows that nobody has to: what the ledger says of that."""
    ruling = ruled(item, apply=apply, patient=patient)
    bills = [len(account.billing_events) for account in network.accounts.values()]
    network.hear(ruling)
    assert [len(account.billing_events) for account in network.accounts.values()] == bills
    [last] = network.decisions(ruling.event_id)
    return last.sequence, last.outcome, last.reason


REFUSED = (1, Outcome.REFUSED, Reason.SUPERSEDED)


@pytest.mark.parametrize("apply", [True, False])
def test_a_correction_that_waits_goes_with_its_procedure_when_that_is_merged(
    network: Network, apply: bool
) -> None:
    """No charge of the survivor is on a claim yet: it takes effect there, and nobody is asked any more."""
    network.hear(of(ADA))
    on_claim(network)
    network.hear(correction := of(ADA, version=2, account_number="A2"), merged(ADA, BEN))
    [_, merge] = waiting(network)
    network.hear(ruled(merge.id, apply=True, patient=ADA))
    assert superseded(network) == [(item_of(correction), Reason.PATIENT_MERGED)]
    assert rule(network, item_of(correction), apply=apply) == REFUSED
    assert [charge.account_number for charge in network.standing(BEN)] == ["A2"]
    assert network.outcomes(correction.event_id)[-1] is Outcome.CORRECTED


def test_a_move_that_is_released_waits_again_where_its_procedure_is(network: Network) -> None:
    """Merged since then, and on a claim there, too: the item is open again, of the survivor."""
    network.hear(of(ADA))
    on_claim(network)
    network.hear(of(CAL, version=2), merged(ADA, BEN))
    move, merge = [item for item in waiting(network) if item.kind is ItemKind.CORRECTION]
    network.hear(ruled(merge.id, apply=True, patient=ADA))
    on_claim(network, BEN)
    network.hear(ruled(move.id, apply=True, patient=ADA))
    assert network.items[move.id].patient == BEN
    assert len(network.standing(BEN)) == 1
    network.hear(ruled(move.id, apply=True, patient=BEN))
    assert network.standing(BEN) == []


@pytest.mark.parametrize("apply", [True, False])
@pytest.mark.parametrize("parked", ["a correction", "a restatement", "an opening balance"])
def test_what_waits_about_a_forgotten_day_is_closed(network: Network, parked: str, apply: bool) -> None:
    """It can have no effect; the list says that its day is no longer kept, and so does the answer."""
    network.hear(first := of(ADA))
    on_claim(network)
    entry: dict[str, AnyEntry] = {
        "a correction": withdrawn(patient=ADA),
        "a restatement": of(ADA, account_number="A2", because=command_event(), command="r1", restated=1),
        "an opening balance": opened(patient=ADA),
    }
    network.hear(entry[parked])
    [item] = waiting(network)
    network.hear(forget(ADA))
    assert superseded(network) == [(item.id, Reason.NO_LONGER_KEPT)]
    assert rule(network, item.id, apply=apply) == REFUSED
    assert network.outcomes(first.event_id)[-1] is Outcome.REPORTED


@pytest.mark.parametrize("apply", [True, False])
def test_a_move_that_waits_is_closed_by_the_next_one(network: Network, apply: bool) -> None:
    """Away and back again: there is nothing left to decide, and her charge stands."""
    network.hear(of(ADA))
    on_claim(network)
    network.hear(of(BEN, version=2))
    [item] = waiting(network)[-1:]
    network.hear(of(ADA, version=3))
    assert superseded(network) == [(item.id, Reason.SUPERSEDED)]
    assert rule(network, item.id, apply=apply) == REFUSED
    assert len(network.standing(ADA)) == 1


@pytest.mark.parametrize("apply", [True, False])
def test_a_move_that_waits_is_closed_when_a_later_one_is_rejected(network: Network, apply: bool) -> None:
    """Of two that wait the higher was ruled against: the lower one has no effect, either."""
    network.hear(of(ADA))
    on_claim(network)
    moves = [moved(at=1), moved(at=3)]
    network.hear(*moves, ruled(item_of(moves[1]), apply=False, patient=ADA))
    assert superseded(network) == [(item_of(moves[0]), Reason.SUPERSEDED)]
    assert rule(network, item_of(moves[0]), apply=apply) == REFUSED
    assert len(network.standing(ADA)) == 1


@pytest.mark.parametrize("apply", [True, False])
def test_a_merge_that_waits_is_closed_when_it_is_undone(network: Network, apply: bool) -> None:
    """Nobody needs to decide whether she is merged: she is not."""
    network.hear(of(ADA))
    on_claim(network)
    network.hear(merge := merged(ADA, BEN))
    [item] = waiting(network)
    network.hear(unmerged(merge))
    assert superseded(network) == [(item.id, Reason.SUPERSEDED)]
    assert rule(network, item.id, apply=apply) == REFUSED
    assert len(network.standing(ADA)) == 1


@pytest.mark.parametrize("apply", [True, False])
def test_a_merge_that_waits_is_closed_when_later_news_is_rejected(network: Network, apply: bool) -> None:
    """Into Ben, no, into Cal: that she is Cal was ruled against, and so she is nobody else."""
    network.hear(of(ADA))
    on_claim(network)
    first, second = (
        Survivor(patient=ADA, event_id=command_event(), survivor=survivor, at=at)
        for survivor, at in ((BEN, 1), (CAL, 2))
    )
    network.hear(first, second, ruled(item_of(second), apply=False, patient=ADA))
    assert superseded(network) == [(item_of(first), Reason.SUPERSEDED)]
    assert rule(network, item_of(first), apply=apply) == REFUSED
    assert len(network.standing(ADA)) == 1


@pytest.mark.parametrize("apply", [True, False])
def test_of_two_requests_for_a_procedure_one_is_enough(network: Network, apply: bool) -> None:
    """Home asked twice, and the survivor gave it once: the other request is closed."""
    network.hear(of(ADA), merge := merged(ADA, BEN))
    on_claim(network, BEN)
    network.hear(unmerged(merge), merged(ADA, CAL, "m2", 2))
    first, second = waiting(network)
    network.hear(ruled(second.id, apply=True, patient=BEN))
    assert superseded(network) == [(first.id, Reason.PATIENT_MERGED)]
    assert rule(network, first.id, apply=apply, patient=BEN) == REFUSED
    assert [len(network.standing(patient)) for patient in (ADA, BEN, CAL)] == [0, 0, 1]


def test_a_refusal_goes_on_from_what_was_decided_of_the_command(network: Network) -> None:
    """The worklist had said that it was applied; and read again the ledger says the very same."""
    network.hear(of(ADA))
    on_claim(network)
    network.hear(correction := withdrawn(patient=ADA), forgetting := forget(ADA))
    ruling = ruled(item_of(correction), apply=True, patient=ADA, decided=1)
    network.hear(ruling, ruling)
    first, again = network.decisions(ruling.event_id)
    assert first == again
    assert (first.sequence, first.reason, first.cause) == (2, Reason.SUPERSEDED, forgetting.event_id)


def test_a_ruling_that_was_carried_out_is_not_refused_when_it_is_read_again(network: Network) -> None:
    """Offsets were set back: nothing more is said of it."""
    network.hear(of(ADA))
    on_claim(network)
    network.hear(correction := withdrawn(patient=ADA))
    network.hear(ruling := ruled(item_of(correction), apply=True, patient=ADA), ruling)
    assert network.decisions(ruling.event_id) == []


def test_a_ruling_that_was_carried_out_elsewhere_is_not_refused_when_it_is_read_again(
    network: Network,
) -> None:
    """It went with the procedure to the survivor, and undid the correction there."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    network.hear(of(ADA, version=2, account_number="A2"), merged(ADA, BEN), acknowledged(charge))
    network.hear(ruling := ruled(f"claimed:{charge.id}", apply=False, patient=ADA))
    network.reset(BEN, 1)
    network.rest()
    assert [each.account_number for each in network.standing(BEN)] == ["A1"]
    assert network.decisions(ruling.event_id) == []


def test_to_reject_a_credit_whose_cause_no_longer_holds_is_refused(network: Network) -> None:
    """Moved away and back: the charge was made again, there is nothing to undo."""
    network.hear(of(ADA))
    [charge] = network.standing(ADA)
    network.hear(of(BEN, version=2), of(ADA, version=3), acknowledged(charge))
    assert rule(network, f"claimed:{charge.id}", apply=False) == REFUSED
    assert len(network.standing(ADA)) == 1
