"""The rule of several patients held against the independent model, on inputs that nobody thought of."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from models.account import Account, Spoken
from models.audit import audit, by_unit, standing_charges
from models.commands import Merge, UndoMerge
from models.procedures import ProcedureEvent, Status
from models.reading import told
from models.standing import Key, Should, should, standing
from models.told import Told
from tests.models.installation import Installation
from tests.models.people import spoken
from tests.models.strategies import DATES, PATIENTS, Input, inputs, logged, statement

ORDERS = st.randoms(use_true_random=False)


def heard(said: Sequence[Input]) -> Told:
    """What is told by inputs whose effect does not depend on when they come."""
    statements = [one for one in said if isinstance(one, ProcedureEvent)]
    commands = [one for one in said if isinstance(one, Spoken)]
    return told(Account([*statements], commands=commands), {})


def units(account: Account) -> dict[Key, int]:
    """How many charges stand, by key, where any does."""
    stand = standing_charges(by_unit(account.billing_events))
    return {key: len(charges) for key, charges in stand.items() if charges}


def expected(told: Told) -> dict[Key, int]:
    return {key: stands.units for key, stands in standing(told).items() if stands.units}


def modelled(account: Account) -> Should:
    """What should be, after what had effect of all that ``account`` holds."""
    in_order = sorted(account.decisions, key=lambda decision: decision.sequence)
    return should(told(account, {decision.event_id: decision for decision in in_order}))


@given(inputs(timeless=True), ORDERS)
def test_the_promise_does_not_depend_on_order(said: list[Input], order: Random) -> None:
    """Statements, overrides, openings, merges and their undoing: the same stands whichever came first."""
    shuffled = order.sample(said, k=len(said))
    assert expected(heard(shuffled)) == expected(heard(said))


@given(inputs(timeless=True), st.lists(st.integers(0, 20), max_size=5))
def test_what_is_told_again_changes_nothing_in_the_promise(said: list[Input], again: list[int]) -> None:
    """Statements and commands, however often."""
    more = [said[number % len(said)] for number in again]
    assert expected(heard([*said, *more])) == expected(heard(said))


@given(inputs(timeless=True))
def test_the_promise_never_allows_more_than_was_allowed(said: list[Input]) -> None:
    """One unit of a key and one for each override; no procedure counts twice."""
    found = should(heard(said))
    for key, stands in found.standing.items():
        assert 0 <= stands.units <= min(found.allowed[key], len(stands.counting))
    counting = [procedure for stands in found.standing.values() for procedure in stands.counting]
    assert len(counting) == len({*counting})


@given(inputs(timeless=True))
def test_undone_merges_leave_what_was_before_any(said: list[Input]) -> None:
    """As if nobody had ever merged anybody."""
    names = {one.command.id for one in said if isinstance(one, Spoken) and isinstance(one.command, Merge)}
    without = [
        one for one in said if not isinstance(one, Spoken) or not isinstance(one.command, Merge | UndoMerge)
    ]
    assert expected(heard(said)._replace(undone=names)) == expected(heard(without))


@given(inputs(), ORDERS)
def test_the_network_lets_stand_what_the_promise_says(said: list[Input], order: Random) -> None:
    """Whatever is said, decided and acknowledged, and whatever is still on its way meanwhile."""
    account = Installation().run(said, order)
    should = modelled(account)
    should_stand = {key: stands.units for key, stands in should.standing.items() if stands.units}
    assert {key: n for key, n in units(account).items() if key not in should.forgotten} == should_stand


@given(inputs(), ORDERS)
def test_every_network_passes_the_audit(said: list[Input], order: Random) -> None:
    """Over all of its patients: charges alternate, decisions are numbered, every latest one is true."""
    assert [*audit(Installation().run(said, order))] == []


@given(inputs(), st.integers(0, 5), ORDERS)
def test_what_billing_acknowledged_is_counted_while_it_stands(
    said: list[Input], back: int, order: Random
) -> None:
    """Once for each charge, however often billing answers and whatever is delivered again; no longer once
    it is credited."""
    ran = Installation()
    ran.run(said, order)
    for name in ran.network.receivers:
        ran.network.reset(name, back)
    ran.network.rest()
    days = ran.network.ledger.days.values()
    units = [unit for day in days for units in day.units.values() for unit in units]
    stand = {unit.charge.id: 1 for unit in units if unit.charge and unit.acknowledged}
    assert {name: count for name, count in ran.network.acknowledged.items() if count} == stand


@given(inputs(timeless=True), ORDERS, ORDERS)
def test_order_and_repetition_change_nothing_that_stands_in_a_network(
    said: list[Input], order: Random, other: Random
) -> None:
    """The same statements and commands in another order, delivered in another one, leave the same charges."""
    shuffled = other.sample(said, k=len(said))
    assert units(Installation().run(said, order)) == units(Installation().run(shuffled, other))
    assert units(Installation().run(said, order)) == expected(heard(said))


@given(inputs(most=8), st.integers(1, 12), ORDERS)
def test_a_replay_is_absorbed_by_a_network(said: list[Input], back: int, order: Random) -> None:
    """Offsets that were set back bring the same statements and commands again: nothing is charged anew."""
    ran = Installation()
    before = units(ran.run(said, order))
    again = [one for one in said[-back:] if isinstance(one, ProcedureEvent | Spoken)]
    account = ran.run(again, order)
    assert units(account) == before
    assert [*audit(account)] == []


@given(inputs(most=8), ORDERS)
def test_a_repeated_statement_under_a_new_event_changes_nothing_that_stands(
    said: list[Input], order: Random
) -> None:
    """A source that sends everything once more is told that it repeats itself."""
    timeless: list[Input] = [one for one in said if isinstance(one, ProcedureEvent | Spoken)]
    statements = [one for one in said if isinstance(one, ProcedureEvent)]
    ran = Installation()
    before = units(ran.run(timeless, order))
    offset = max(one.received for one in statements) + 1
    again: list[Input] = [*logged([*statements * 2])[offset:]]
    assert units(ran.run(again, order)) == before


def test_what_names_no_day_of_a_procedure_that_was_too_old_passes_the_audit() -> None:
    """Performed on a day that is no longer kept, then in progress: nobody can tell which of the two holds."""
    old = [
        statement(PATIENTS[0], "lab", 1, 0, Status.PERFORMED, 0),
        statement(PATIENTS[0], "lab", 1, 0, Status.IN_PROGRESS, 0),
    ]
    forget = spoken("forget", "f1", patient=PATIENTS[0], before=DATES[1])
    account = Installation().run([forget, *logged(old)], Random(0))
    assert [*audit(account)] == []
