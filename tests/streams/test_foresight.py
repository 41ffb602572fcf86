"""What a command would bring about is told by what is kept, and comes true when it is given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from models.billing import Kind as Billing
from models.billing import Outcome
from models.commands import Redrive, Reject, Release
from models.patient import Patient
from models.worklist import Item, Kind
from streams import foresight
from streams.commands import stamp
from streams.facilities import read_facilities
from streams.foresight import Foreseen, foresee
from streams.kept import Kept
from streams.settings import Settings
from tests.models.entered import acknowledged, ruled
from tests.models.ledger import Ledger
from tests.models.said import said
from tests.streams.desk import EXAMPLE

SIGNED = stamp("ada", "seen")
LETTER = Item(id="lab.procedures:0:8:0", kind=Kind.DEAD_LETTER, topic="lab.procedures", partition=0, offset=8)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """What is read as kept, though no Kafka runs."""
    ledger = Ledger()

    @asynccontextmanager
    async def reader(_settings: Settings) -> AsyncIterator[None]:
        yield

    async def kept(_source: None, _log: str, patient: str) -> Kept:
        days = [day for (whose, _), day in ledger.days.items() if whose == patient]
        return Kept(ledger.patients.get(patient, Patient()), days)

    monkeypatch.setattr(foresight, "reader", reader)
    monkeypatch.setattr(foresight, "kept", kept)
    return ledger


def parked(ledger: Ledger) -> Item:
    """A correction of a charge that is on a claim."""
    [charge] = ledger.apply(said("A")).billing_events
    ledger.apply(acknowledged(charge))
    [item] = ledger.apply(said("A", 2, account_number="A2")).items
    return item


async def of(item: Item, said: Any, *, facilities: bool = False) -> Foreseen | None:
    known = read_facilities(EXAMPLE) if facilities else None
    return await foresee(Settings.isolated(), item, said, known)


async def test_a_release_of_a_correction_is_foreseen_as_it_comes(ledger: Ledger) -> None:
    """The same charges and credits, without the facilities file; nothing is changed by asking."""
    item = parked(ledger)
    found = await of(item, Release(item=item.id, **SIGNED))
    assert found is not None
    assert [event.kind for event in found.billing_events] == [Billing.CREDIT, Billing.CHARGE]
    came = ledger.apply(ruled(item.id, apply=True)).billing_events
    assert [event.id for event in found.billing_events] == [event.id for event in came]


async def test_a_reject_of_a_correction_charges_nothing(ledger: Ledger) -> None:
    """The charge on the claim stays."""
    item = parked(ledger)
    found = await of(item, Reject(item=item.id, **SIGNED))
    assert found is not None
    assert (found.billing_events, found.is_refused) == ([], False)
    assert [made.outcome for made in found.decisions if made.event_id == item.event_ids[0]] == [
        Outcome.REJECTED
    ]


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("facilities", [True, False])
async def test_what_cannot_be_read_is_seen_without_any_worker(facilities: bool) -> None:
    """By what intake reads with; the field is named."""
    found = await of(LETTER, Redrive(item=LETTER.id, value=b"e30=", **SIGNED), facilities=facilities)
    assert found is not None
    assert found.is_refused
    assert [made.field for made in found.decisions] == ["status"]


@pytest.mark.usefixtures("ledger")
async def test_nothing_is_foreseen_that_depends_on_a_file_that_is_not_named() -> None:
    """With it: the message is resolved as intake would."""
    redrive = Redrive(item=LETTER.id, value=b"eyJzdGF0dXMiOiJwZXJmb3JtZWQifQ==", **SIGNED)
    assert await of(LETTER, redrive) is None
    found = await of(LETTER, redrive, facilities=True)
    assert found is not None
    assert [made.outcome for made in found.decisions] == [Outcome.HELD]
