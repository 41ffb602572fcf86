"""The rule held against the independent model, on statements that nobody thought of."""

from datetime import date
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.audit import audit, by_unit, standing_charges
from models.codes import Service
from models.history import content, highest, histories
from models.patient_day import PatientDay, decode_patient_day, encode_patient_day
from models.procedures import ProcedureEvent, Status, Stream, VersionKind
from models.standing import Key, standing
from models.told import Told
from tests.models import people
from tests.models.ledger import Ledger
from tests.models.strategies import DATES, PATIENTS, SERVICES, logged, logs, statement

KEY = Key(PATIENTS[0], Stream.FACILITY, Service.COLLECTION, DATES[0])
CONTENT_OF_KEY = 0


def units(ledger: Ledger) -> dict[Key, int]:
    """How many charges stand, by key, where any does."""
    accounts = ledger.accounts.values()
    stand = [standing_charges(by_unit(account.billing_events)) for account in accounts]
    return {key: len(charges) for by_key in stand for key, charges in by_key.items() if charges}


def modelled(events: list[ProcedureEvent]) -> dict[Key, int]:
    return {key: stands.units for key, stands in standing(Told(events)).items()}


def said(source: str, procedure: int, *told: tuple[int, Status]) -> list[ProcedureEvent]:
    """A log of what one source said of one procedure of ``KEY``: versions and statuses."""
    return logged(
        [
            statement(PATIENTS[0], source, procedure, version, status, CONTENT_OF_KEY)
            for version, status in told
        ]
    )


@given(logs())
def test_the_rule_lets_stand_what_the_promise_says(events: list[ProcedureEvent]) -> None:
    """Whatever is said, as many charges stand as procedures count, and never more than one a day."""
    ledger = Ledger().apply_all(events)
    assert units(ledger) == modelled(events)
    assert set(units(ledger).values()) <= {1}


@given(logs(), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing_that_stands(
    events: list[ProcedureEvent], random: Random
) -> None:
    """The same statements in another order, some of them more than once, leave the same charges."""
    again = [*events, *random.sample(events, k=len(events) // 2)]
    random.shuffle(again)
    assert units(Ledger().apply_all(logged(again))) == units(Ledger().apply_all(events))


@given(logs())
def test_every_account_passes_the_audit(events: list[ProcedureEvent]) -> None:
    """Charges and credits alternate, each credit copies its charge, and every latest decision is true."""
    for account in Ledger().apply_all(events).accounts.values():
        assert [*audit(account)] == []


@given(logs(most=12), st.integers(1, 12))
def test_a_replay_of_the_log_is_absorbed(events: list[ProcedureEvent], back: int) -> None:
    """Offsets that were set back bring the same records again: nothing new is charged, all stays true."""
    ledger = Ledger().apply_all(events)
    before = units(ledger)
    ledger.apply_all(events[-back:])
    assert units(ledger) == before
    for account in ledger.accounts.values():
        assert [*audit(account)] == []


@given(logs())
def test_a_day_that_was_stored_and_read_again_is_the_same_day(events: list[ProcedureEvent]) -> None:
    """Batches end anywhere: a ledger that stores and reads every day writes what one that keeps them does."""

    def stored(day: PatientDay) -> PatientDay:
        return decode_patient_day(encode_patient_day(day))

    assert Ledger(kept=stored).apply_all(events).accounts == Ledger().apply_all(events).accounts


@given(logs(), st.dictionaries(st.sampled_from(DATES), st.integers(1, 2), min_size=1))
def test_an_override_allows_that_many_more(events: list[ProcedureEvent], extra: dict[date, int]) -> None:
    """Where a person allowed further units they stand as far as procedures count, numbered from one."""
    allowed = {
        Key(patient, stream, service, day): more
        for day, more in extra.items()
        for patient in PATIENTS
        for stream in Stream
        for service in SERVICES
    }
    ledger = Ledger()
    for key, more in allowed.items():
        day = ledger.days.setdefault(
            (key.patient, key.service_date), PatientDay(key.patient, key.service_date, overrides={})
        )
        day.overrides[f"{key.stream}|{key.service}"] = {str(number): True for number in range(more)}
    ledger.apply_all(events)
    commands = [people.allowed(key, f"{key}{n}") for key, more in allowed.items() for n in range(more)]
    should = standing(Told(events, people.units(*commands)))
    assert units(ledger) == {key: stands.units for key, stands in should.items()}
    for account in ledger.accounts.values():
        people.tell(account, *commands)
        assert [*audit(account)] == []


@given(logs(), st.data())
def test_a_source_that_changes_its_version_kind_never_stops_the_rule(
    events: list[ProcedureEvent], data: st.DataObject
) -> None:
    """After a change of settings one procedure has versions of two kinds: no more than one unit stands."""
    mixed = [
        msgspec.structs.replace(event, version_kind=data.draw(st.sampled_from(VersionKind)))
        for event in events
    ]
    assert set(units(Ledger().apply_all(mixed)).values()) <= {1}


def test_a_procedure_that_is_said_twice_counts_once() -> None:
    """One collection, sent twice, is one procedure that counts."""
    assert standing(Told(said("lab", 1, (0, Status.PERFORMED), (0, Status.PERFORMED))))[KEY].units == 1


def test_two_collections_of_a_day_are_one_unit() -> None:
    """Both count, one stands; with an override of one more both stand."""
    events = said("lab", 1, (0, Status.PERFORMED)) + said("lab", 2, (0, Status.PERFORMED))
    assert len(standing(Told(events))[KEY].counting) == 2
    assert standing(Told(events))[KEY].units == 1
    assert standing(Told(events, people.units(people.allowed(KEY, "o"))))[KEY].units == 2


def test_the_higher_version_holds_whenever_it_comes() -> None:
    """A withdrawal of version 2 holds, before or after what it withdraws; of equal ones the withdrawal."""
    performed, withdrawn = (0, Status.PERFORMED), (1, Status.WITHDRAWN)
    assert KEY not in standing(Told(said("lab", 1, performed, withdrawn)))
    assert KEY not in standing(Told(said("lab", 1, withdrawn, performed)))
    assert KEY not in standing(Told(said("lab", 1, (1, Status.PERFORMED), withdrawn)))


def test_a_resend_after_a_cancel_brings_nothing_back() -> None:
    """Where only the message time orders, a content stands at the lowest time it was sent at."""
    performed, cancelled, resent = (0, Status.PERFORMED), (1, Status.WITHDRAWN), (2, Status.PERFORMED)
    for order in ((performed, cancelled, resent), (resent, cancelled, performed)):
        assert KEY not in standing(Told(said("desk", 1, *order)))
    assert standing(Told(said("lab", 1, performed, cancelled, resent)))[KEY].units == 1


def test_of_statements_that_say_the_same_the_first_holds() -> None:
    """A resend leaves the first statement in its place, so that what names it stays true."""
    events = said("lab", 1, (0, Status.PERFORMED), (0, Status.PERFORMED))
    history = histories(events)[events[0].procedure]
    assert content(events[0]) == content(events[1])
    assert highest(history).event_id == events[0].event_id
