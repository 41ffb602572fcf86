"""What should stand after what people decide, by examples worked out by hand."""

from datetime import date
from itertools import permutations

import pytest
from msgspec.structs import replace

from models.codes import Service
from models.entries import item_of
from models.procedures import ProcedureEvent, Status, Stream
from models.standing import Key, should, standing
from models.told import Told
from tests.models.people import allowed, merge, opened, taken_back, units
from tests.models.said import MONDAY, PATIENT, TUESDAY, said, withdrawn

OTHER, THIRD = "UH|0000002", "UH|0000003"


def key(patient: str = PATIENT, day: date = MONDAY) -> Key:
    return Key(patient, Stream.FACILITY, Service.COLLECTION, day)


def stand(told: Told) -> dict[Key, int]:
    return {of: stands.units for of, stands in standing(told).items() if stands.units}


def test_an_override_before_the_second_procedure_lets_it_stand() -> None:
    """An override waits for a procedure that fills it."""
    override = units(allowed(key(), "o1"))
    assert stand(Told([said("A")], override)) == {key(): 1}
    assert stand(Told([said("A"), said("B")], override)) == {key(): 2}


def test_with_the_first_withdrawn_the_second_stands_alone() -> None:
    """What an override allows is a further unit, not a certain procedure."""
    statements = [said("A"), said("B"), withdrawn("A")]
    assert stand(Told(statements, units(allowed(key(), "o1")))) == {key(): 1}


def test_two_overrides_allow_three_units_and_one_told_twice_allows_two() -> None:
    """Each command allows one unit, however often it is heard."""
    statements = [said("A"), said("B"), said("C"), said("D")]
    assert stand(Told(statements, units(allowed(key(), "o1"), allowed(key(), "o2")))) == {key(): 3}
    assert stand(Told(statements, units(allowed(key(), "o1"), allowed(key(), "o1")))) == {key(): 2}


def test_an_override_that_was_taken_back_is_gone_whichever_came_first() -> None:
    """And that of another name stays."""
    statements = [said("A"), said("B"), said("C")]
    told = units(allowed(key(), "o1"), taken_back(key(), "t1", "o1"), allowed(key(), "o2"))
    for order in permutations(told):
        assert stand(Told(statements, order)) == {key(): 2}


def test_an_override_of_another_day_allows_nothing_here() -> None:
    """A key is patient, stream, service and day."""
    statements = [said("A"), said("B")]
    assert stand(Told(statements, units(allowed(key(day=TUESDAY), "o1")))) == {key(): 1}


def test_an_opening_takes_the_only_unit_in_either_order() -> None:
    """The former system charged the day: nothing stands, and of two with an override one."""
    opening, override = opened(key(), "b1"), allowed(key(), "o1")
    assert stand(Told([said("A")], units(opening))) == {}
    for order in permutations(units(opening, override)):
        assert stand(Told([said("A"), said("B")], order)) == {key(): 1}
    assert stand(Told([said("A")], units(opening, opened(key(), "b2")))) == {}


def test_a_procedure_moves_to_the_patient_of_its_highest_statement_and_back() -> None:
    """It counts for one patient alone."""
    here, there = said("A", 1), said("A", 2, patient=OTHER)
    assert stand(Told([here])) == {key(): 1}
    assert stand(Told([here, there])) == {key(OTHER): 1}
    assert should(Told([there, here])).moved == {here.procedure}
    assert stand(Told([here, there, said("A", 3)])) == {key(): 1}
    assert stand(Told([here, withdrawn("A", 2, patient=OTHER)])) == {}


def test_of_equal_statements_under_two_patients_the_last_patient_holds() -> None:
    """In whatever order they come."""
    here = said("A")
    there = replace(here, patient=OTHER, stated_patient=OTHER, event_id="there")
    last = max(PATIENT, OTHER)
    assert stand(Told([here, there])) == stand(Told([there, here])) == {key(last): 1}


def test_ids_that_are_not_unique_name_another_procedure_under_each_patient() -> None:
    """Both stand."""
    statements = [said("A", unique=False), said("A", 2, patient=OTHER, unique=False)]
    assert stand(Told(statements)) == {key(): 1, key(OTHER): 1}


def test_a_merge_ends_with_one_charge_of_a_day_that_both_had() -> None:
    """And an undo, whether it is heard before or after, leaves each its own."""
    statements = [said("A"), said("B", patient=OTHER)]
    merges = [merge("m1", PATIENT, OTHER)]
    assert stand(Told(statements, merges=merges)) == {key(OTHER): 1}
    assert stand(Told(statements, merges=merges, undone={"m1"})) == {key(): 1, key(OTHER): 1}


def test_a_chain_of_merges_ends_at_its_last_patient() -> None:
    """In whatever order its merges are heard."""
    for merges in permutations([merge("m1", PATIENT, OTHER, 1), merge("m2", OTHER, THIRD, 2)]):
        assert stand(Told([said("A")], merges=merges)) == {key(THIRD): 1}


def test_of_a_circle_from_two_sides_the_later_merge_is_refused() -> None:
    """For good, if it was told so, whatever becomes of the earlier one."""
    circle = [merge("m2", OTHER, PATIENT, 2), merge("m1", PATIENT, OTHER, 1)]
    for merges in permutations(circle):
        assert stand(Told([said("A")], merges=merges)) == {key(OTHER): 1}
        over = Told([said("A", patient=OTHER)], merges=merges, undone={"m1"}, refused={"m2"})
        assert stand(over) == {key(OTHER): 1}


@pytest.mark.parametrize("losing", [PATIENT, OTHER])
def test_a_patient_is_merged_once_and_never_into_itself(losing: str) -> None:
    """The first merge by time holds, by name where times are equal."""
    merges = [merge("m1", losing, losing), merge("m3", losing, "UH|4"), merge("m2", losing, THIRD)]
    assert stand(Told([said("A", patient=losing)], merges=merges)) == {key(THIRD): 1}


def test_overrides_and_openings_stay_with_the_patient_they_were_told_of() -> None:
    """A merge moves procedures alone."""
    merges = [merge("m1", PATIENT, OTHER)]
    statements = [said("A"), said("B", patient=OTHER)]
    assert stand(Told(statements, units(allowed(key(), "o1")), merges)) == {key(OTHER): 1}
    assert stand(Told(statements, units(allowed(key(OTHER), "o1")), merges)) == {key(OTHER): 2}
    assert stand(Told(statements, units(opened(key(), "b1")), merges)) == {key(OTHER): 1}


def test_what_is_parked_or_ruled_against_has_no_effect() -> None:
    """A withdrawal, a taking back, an opening: the charge stands until a person says otherwise."""
    gone, back, opening = withdrawn("A"), taken_back(key(), "t1", "o1"), opened(key(), "b1")
    statements = [said("A"), said("B"), gone]
    told = Told(statements, units(allowed(key(), "o1"), back, opening))
    assert stand(told) == {}
    ids = {item_of(gone), "override:t1", "opening:b1"}
    assert stand(told._replace(parked=ids)) == {key(): 2}
    assert stand(told._replace(rejected=ids)) == {key(): 2}
    assert stand(told._replace(parked={"override:t1", "opening:b1"})) == {key(): 1}


def test_a_parked_move_counts_for_both_patients() -> None:
    """The charge on a claim stands, and so does that of whom the procedure is stated for now."""
    here, there = said("A", 1), said("A", 2, patient=OTHER)
    told = Told([here, there], unmoved={here.procedure})
    assert stand(told) == {key(): 1, key(OTHER): 1}


def test_a_parked_merge_leaves_everything_where_it_is() -> None:
    """With the patient, or with the survivor of before the merge was undone."""
    own = said("A")
    merges = [merge("m1", PATIENT, OTHER)]
    assert stand(Told([own], merges=merges, unmerged={PATIENT: PATIENT})) == {key(): 1}
    statements = [own, said("B", service_date=TUESDAY)]
    told = Told(statements, merges=merges, undone={"m1"}, stays={own.procedure: OTHER})
    assert stand(told) == {key(OTHER): 1, key(day=TUESDAY): 1}


def test_a_restated_content_holds_under_the_event_that_said_it_first() -> None:
    """What the settings made of it last holds, in whatever order restatements come."""
    first = said("A", service_date=MONDAY)
    again = [restated(first, n, day) for n, day in ((1, MONDAY), (2, TUESDAY))]
    for order in permutations(again):
        stands = standing(Told([first, *order]))[key(day=TUESDAY)]
        assert [statement.event_id for statement in stands.counting.values()] == [first.event_id]
    assert stand(Told([first, *again], parked={item_of(again[1])})) == {key(): 1}
    assert stand(Told([first, again[1], withdrawn("A")])) == {}


def restated(statement: ProcedureEvent, at: int, day: date) -> ProcedureEvent:
    return replace(statement, event_id=f"c{at}", restated=at, because=f"c{at}", service_date=day)


def test_what_is_expired_is_never_told_of() -> None:
    """Days before the watermark are forgotten, those from it on stand as ever."""
    statements = [said("A"), said("B", service_date=TUESDAY)]
    assert stand(Told(statements, watermarks={PATIENT: TUESDAY})) == {key(day=TUESDAY): 1}
    assert should(Told(statements, watermarks={PATIENT: TUESDAY})).forgotten == {key()}


def test_what_touches_a_forgotten_day_cannot_be_told_either() -> None:
    """A procedure that a correction moved out of it may have been known or not."""
    statements = [said("A"), said("A", 2, service_date=TUESDAY)]
    assert should(Told(statements, watermarks={PATIENT: TUESDAY})).forgotten == {key(), key(day=TUESDAY)}


def test_a_status_that_is_no_charge_never_counts() -> None:
    """Whatever is allowed."""
    told = Told([said("A", status=Status.IN_PROGRESS)], units(allowed(key(), "o1")))
    assert stand(told) == {}


def test_merges_of_the_same_moment_are_ordered_by_name() -> None:
    """So that two readers never differ."""
    one = merge("a", PATIENT, OTHER)
    two = merge("b", PATIENT, THIRD)
    for merges in permutations([one, two]):
        assert stand(Told([said("A")], merges=merges)) == {key(OTHER): 1}


def test_whatever_is_stated_of_a_procedure_with_a_forgotten_day_may_be_expired() -> None:
    """Whoever had it forgot it: home, or a survivor whose merge was undone since then."""
    statements = [said("A"), said("A", 2, service_date=TUESDAY), said("B", service_date=TUESDAY)]
    expired = {statements[0].procedure}
    assert should(Told(statements, watermarks={PATIENT: TUESDAY})).expired == expired
    assert should(Told(statements, watermarks={OTHER: TUESDAY})).expired == set()
    handed = {statements[0].procedure: {OTHER}}
    told = Told(statements, watermarks={OTHER: TUESDAY}, handed=handed)
    assert should(told).expired == expired
    assert {key(), key(day=TUESDAY)} <= should(told).forgotten
