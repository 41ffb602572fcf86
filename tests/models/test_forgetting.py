"""What is older than a date is no longer kept, and never charged again."""

from datetime import date
from random import Random

import pytest

from models.billing import Outcome
from models.codes import Service
from models.entries import AnyEntry, Expiry, Opening, Override
from models.links import Merge
from models.procedures import ProcedureEvent, Stream
from tests.models.ledger import Ledger
from tests.models.network import Network
from tests.models.said import MONDAY, PATIENT, TUESDAY, said, standing, told, withdrawn

LONG_AGO = date(2018, 6, 1)
"""Forgotten, by ``forget``. There was no code yet: the tests give one."""
YEAR = date(2019, 6, 3)
KEPT_FROM = date(2020, 1, 1)
OTHER = "UH|0067890"


def old(procedure_id: str = "A", version: int = 1, **more: object) -> ProcedureEvent:
    """A collection on a day that is forgotten."""
    return said(procedure_id, version, **{"service_date": YEAR, **more})


def forget(patient: str = PATIENT, before: date = KEPT_FROM, number: int = 0) -> Expiry:
    return Expiry(patient=patient, event_id=f"perdiem.commands:0:{number}:0", before=before)


def override(day: date, number: int = 50) -> Override:
    return Override(
        patient=PATIENT,
        event_id=f"perdiem.commands:0:{number}:0",
        command=f"c{number}",
        stream=Stream.FACILITY,
        service=Service.COLLECTION,
        service_date=day,
        name=f"c{number}",
    )


def opening(day: date, number: int = 60) -> Opening:
    return Opening(
        patient=PATIENT,
        event_id=f"perdiem.commands:0:{number}:0",
        command=f"c{number}",
        stream=Stream.FACILITY,
        service=Service.COLLECTION,
        service_date=day,
        name=f"c{number}",
    )


def assert_no_number_repeats(ledger: Ledger) -> None:
    """Of one event two decisions of one number, under whatever patient, say the very same."""
    seen: dict[str, object] = {}
    for account in ledger.accounts.values():
        for decision in account.decisions:
            same = (decision.outcome, decision.reason, decision.of)
            assert seen.setdefault(decision.id, same) == same, decision.id


def test_a_forgotten_date_is_never_charged() -> None:
    """What comes for it later, of whatever procedure, is `expired`: no charge, and no state of it."""
    ledger = Ledger()
    ledger.apply(forget())
    verdict = ledger.apply(old())
    assert told(verdict) == [("A", 1, Outcome.EXPIRED)]
    assert verdict.billing_events == []
    assert ledger.days == {}


@pytest.mark.parametrize("said_of", [override(YEAR), opening(YEAR)])
def test_no_day_is_made_of_what_people_say_of_a_forgotten_one(said_of: AnyEntry) -> None:
    """There would be no end of keeping it: nothing says that it is there."""
    ledger = Ledger().apply_all([old("A"), forget(), said_of])
    assert ledger.days == {}


@pytest.mark.parametrize("said_of", [override(YEAR), opening(YEAR)])
def test_a_command_that_comes_again_after_its_day_was_forgotten_is_answered_with_another_number(
    said_of: AnyEntry,
) -> None:
    """It was `applied`; that stays number 1."""
    ledger = Ledger().apply_all([said_of, forget(), said_of])
    assert_no_number_repeats(ledger)


def test_what_was_withdrawn_and_forgotten_goes_on_with_its_numbers() -> None:
    """Its withdrawal says no date, so that it is taken for one of a procedure that nobody has stated yet."""
    events = [old("A"), withdrawn("A")]
    ledger = Ledger().apply_all([*events, forget(), *reversed(events)])
    assert_no_number_repeats(ledger)


def test_what_was_expired_goes_on_with_its_numbers_when_its_procedure_comes_to_a_kept_day() -> None:
    """Expired as number 1; once a correction brought the procedure to a kept day, it is superseded as 2."""
    first = old("A")
    ledger = Ledger().apply_all([forget(), first, said("A", 2), first])
    assert_no_number_repeats(ledger)


def test_overrides_and_openings_are_forgotten_with_their_day() -> None:
    """A day on which nothing but these was said is removed, too; those of kept days hold."""
    ledger = Ledger().apply_all([override(YEAR, 1), opening(LONG_AGO, 2), override(MONDAY, 3)])
    assert ledger.apply(forget()).removed == [LONG_AGO, YEAR]
    assert [day for _, day in ledger.days] == [MONDAY]
    ledger.apply_all([said("A"), said("B")])
    assert len(standing(ledger)) == 2


def merged() -> tuple[Network, ProcedureEvent]:
    """OTHER was merged into PATIENT, with a procedure of a day that both forgot since."""
    network = Network(Random(1))
    moved = old("A", patient=OTHER)
    merge = Merge(event_id="perdiem.commands:0:20:0", id="m", time=1, losing=OTHER, surviving=PATIENT)
    network.run([moved, merge])
    assert [charge.patient for charge in standing(network.ledger)] == [PATIENT]
    return network, moved


def test_a_merged_patients_procedure_is_forgotten_at_the_survivor_and_home_knows() -> None:
    """The survivor keeps nothing of the day, and home no longer looks for the procedure there."""
    network, moved = merged()
    assert [*network.ledger.patients[OTHER].away] == [moved.procedure]
    network.run([forget()])
    assert [patient for patient, _ in network.ledger.days] == [OTHER]
    assert network.ledger.patients[PATIENT].places == {}
    assert network.ledger.patients[OTHER].away == {}
    network.run([forget(OTHER, number=1)])
    assert network.ledger.days == {}


@pytest.mark.parametrize("forgets", [(PATIENT,), (OTHER, PATIENT), (PATIENT, OTHER)])
def test_numbers_of_decisions_about_a_merged_patients_procedure_never_repeat(
    forgets: tuple[str, ...],
) -> None:
    """They were counted at home, then at the survivor; forgotten there, they go on above."""
    network, moved = merged()
    network.run(forget(patient, number=number) for number, patient in enumerate(forgets))
    network.run([moved])
    assert_no_number_repeats(network.ledger)


@pytest.mark.parametrize("seed", range(8))
def test_a_replay_after_forgetting_charges_nothing(seed: int) -> None:
    """Everything is delivered again, and once more: no billing event, and no number of a decision again."""
    days = (YEAR, LONG_AGO, KEPT_FROM, MONDAY, TUESDAY)
    random = Random(seed)
    entries: list[AnyEntry] = []
    for procedure_id in "ABCDEF":
        for version in range(1, random.randint(2, 4)):
            day = random.choice(days)
            code = {"code": "0537T"} if day == LONG_AGO else {}
            entries.append(said(procedure_id, version, service_date=day, **code))
    random.shuffle(entries)
    ledger = Ledger().apply_all(entries)
    before = standing(ledger)
    ledger.apply(forget())
    written = len(ledger.accounts[PATIENT].billing_events)
    ledger.apply_all([*entries, forget(), *entries])
    assert len(ledger.accounts[PATIENT].billing_events) == written
    assert standing(ledger) == before
    assert_no_number_repeats(ledger)
