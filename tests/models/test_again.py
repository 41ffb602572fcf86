"""What is read again, late or out of turn brings about nothing that was not there before."""

from random import Random

import pytest
from msgspec.structs import replace

from models.billing import Acknowledged, Outcome
from models.entries import Handover, Recall
from tests.models.entered import acknowledged, merged, ruled, unmerged
from tests.models.ledger import Ledger
from tests.models.network import Network
from tests.models.said import PATIENT, said, standing, withdrawn

OTHER = "UH|0067890"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def network() -> Network:
    return Network(Random(0))


def test_what_was_held_when_it_came_is_not_charged_because_its_source_is_read_again(ledger: Ledger) -> None:
    """By another facilities file it would resolve now: only a release takes it in."""
    posting = ledger.apply(replace(said(), again=True))
    assert (posting.decisions, posting.billing_events) == ([], [])
    ledger.apply(first := said("B"))
    assert ledger.apply(replace(said("B", version=2), again=True)).decisions == []
    [told] = ledger.apply(replace(first, again=True)).decisions
    assert (told.outcome, told.repeated) == (Outcome.REPORTED, True)


def test_an_acknowledgement_and_its_ruling_read_again_reject_nothing_more(ledger: Ledger) -> None:
    """The correction was rejected once; what was said since then holds."""
    ledger.apply(said())
    ledger.apply(withdrawn(version=2))
    charge = ledger.accounts[PATIENT].billing_events[0]
    ack = acknowledged(charge, Acknowledged.ON_CLAIM)
    ruling = ruled(f"claimed:{charge.id}", apply=False)
    ledger.apply_all([ack, ruling, withdrawn(version=3)])
    assert standing(ledger) == []
    ledger.apply_all([ack, ruling])
    assert standing(ledger) == []


def test_what_follows_on_a_handover_waits_for_it(network: Network) -> None:
    """The handover is a dead letter for a while: nothing goes round meanwhile, and all has its effect."""
    network.hear(said())
    network.hold(OTHER, Handover)
    network.hear(merged(PATIENT, OTHER), said(version=2, account_number="A2"))
    assert (network.standing(PATIENT), network.standing(OTHER)) == ([], [])
    network.let_go()
    assert [charge.account_number for charge in network.standing(OTHER)] == ["A2"]


def test_what_follows_on_a_handover_home_waits_for_it(network: Network) -> None:
    """The survivor has let go of it, and home has not got it: nothing goes round between the two."""
    network.hear(said(), merge := merged(PATIENT, OTHER))
    network.hold(PATIENT, Handover)
    network.hear(unmerged(merge), said(version=2, account_number="A2"))
    assert (network.standing(PATIENT), network.standing(OTHER)) == ([], [])
    network.let_go()
    assert [charge.account_number for charge in network.standing(PATIENT)] == ["A2"]


def test_a_recall_that_overtakes_its_handover_takes_the_procedure_home(network: Network) -> None:
    """The merge is undone before the survivor has what was handed to it."""
    network.hear(said())
    network.hold(OTHER, Handover)
    network.hear(merge := merged(PATIENT, OTHER), unmerged(merge))
    network.let_go()
    assert len(network.standing(PATIENT)) == 1
    assert network.standing(OTHER) == []


def test_what_survivors_keep_by_a_ruling_can_be_asked_for_again(network: Network) -> None:
    """A recall was rejected; the next merge asks anew, under an item of its own."""
    network.hear(said(), merge := merged(PATIENT, OTHER))
    [charge] = network.standing(OTHER)
    network.hear(acknowledged(charge), unmerged(merge))
    [first] = network.items
    network.hear(ruled(first, apply=False, patient=OTHER), merged(PATIENT, "UH|9", "m2", time=2))
    [second] = [item for item in network.items if item != first]
    network.hear(ruled(second, apply=True, patient=OTHER))
    assert len(network.standing("UH|9")) == 1
    assert network.standing(OTHER) == []
    assert any(isinstance(entry, Recall) for entry in network.entries())
