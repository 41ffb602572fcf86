"""The course of a therapy is found by its products, and by its dates where products say nothing."""

from datetime import date, timedelta
from itertools import chain, pairwise
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.billing import Acknowledged, Decision, Outcome, Reason, Warning  # noqa: A004
from models.codes import Service
from models.entries import Acknowledgement, Moved
from models.episode import COLLECTING, LASTING, Episode, Missing, Notice, episodes, notices, steps_of
from models.procedures import Reporting, Status
from tests.models.ledger import Ledger
from tests.models.said import PATIENT, said, withdrawn

COLLECTION, TRANSPORT, RECEIPT, ADMINISTRATION = Service
DAY = date(2025, 3, 10)
ACROSS_DAYS = (Warning.RECEIPT_TWICE, Warning.ADJACENT_DAYS, Warning.NO_RECEIPT)
LATER = DAY + timedelta(days=2000)


def on(day: int, service: Service, *products: str, **more: Any) -> Any:
    """A procedure so many days after the first; named by service, day and products."""
    name = f"{service}{day}{products}{more.get('stream', '')}"
    when = DAY + timedelta(days=day)
    return said(name, service=service, service_date=when, product_ids=products, **more)


def found(*statements: Any, waiting: tuple[Decision, ...] = (), today: date = LATER) -> list[Episode]:
    days = Ledger().apply_all(statements).days.values()
    return episodes(steps_of(days), waiting, today, 30)


def days(episode: Episode) -> list[tuple[int, Service]]:
    return [((step.on - DAY).days, step.service) for step in episode.steps]


def absent(episode: Episode) -> list[Service]:
    return [each.service for each in episode.missing]


def warned(*statements: Any) -> list[Notice]:
    return [*notices(steps_of(Ledger().apply_all(statements).days.values()))]


WHOLE = (
    on(0, COLLECTION, "W1"),
    on(0, TRANSPORT, "W1"),
    on(30, RECEIPT, "W1", "COI"),
    on(31, ADMINISTRATION, "COI"),
)


def test_a_whole_course_is_one_episode_of_which_nothing_is_missing() -> None:
    """The donation ties collection to receipt, the chain of identity that to administration."""
    [course] = found(*reversed(WHOLE))
    assert days(course) == [(0, COLLECTION), (0, TRANSPORT), (30, RECEIPT), (31, ADMINISTRATION)]
    assert (course.products, course.by_time, course.missing, course.notices) == (("COI", "W1"), False, (), ())
    assert all(step.charge and step.decision.outcome is Outcome.REPORTED for step in course.steps)


def test_two_courses_at_once_are_told_apart_by_their_products() -> None:
    """However their dates lie between each other."""
    one = (on(0, COLLECTION, "W1"), on(60, ADMINISTRATION, "W1"))
    other = (on(30, COLLECTION, "W2"), on(90, ADMINISTRATION, "W2"))
    assert [days(each) for each in found(*one, *other)] == [
        [(0, COLLECTION), (60, ADMINISTRATION)],
        [(30, COLLECTION), (90, ADMINISTRATION)],
    ]


def test_what_states_no_product_continues_the_course_that_began_last() -> None:
    """And the episode says that not all of it shares a product."""
    [course] = found(on(0, COLLECTION, "W1"), on(1, COLLECTION), on(40, ADMINISTRATION, "COI"))
    assert days(course) == [(0, COLLECTION), (1, COLLECTION), (40, ADMINISTRATION)]
    assert course.by_time
    [course] = found(on(0, COLLECTION, "W1"), on(0, TRANSPORT, "W1"), on(3, RECEIPT))
    assert course.by_time


def test_a_collection_after_an_administration_begins_another_course() -> None:
    """The day after it, even; not on its very day, nor after a second dose or one that was taken back."""
    courses = found(on(0, COLLECTION), on(5, ADMINISTRATION), on(15, ADMINISTRATION), on(16, COLLECTION))
    assert [len(each.steps) for each in courses] == [3, 1]
    given = on(5, ADMINISTRATION, "W1")
    assert len(found(on(0, COLLECTION, "W1"), given, on(5, COLLECTION))) == 1
    taken_back = on(5, ADMINISTRATION, "W1", status=Status.WITHDRAWN)
    assert len(found(on(0, COLLECTION, "W1"), taken_back, on(6, COLLECTION))) == 1


@pytest.mark.parametrize(("apart", "courses"), [(COLLECTING, 1), (COLLECTING + 1, 2)])
def test_a_collection_long_after_the_last_begins_another_course(apart: int, courses: int) -> None:
    """The manufacture failed; a few days of collection are one."""
    assert len(found(on(0, COLLECTION), on(apart, COLLECTION))) == courses
    # However late one of the same product was.
    assert len(found(on(0, COLLECTION, "W1"), on(apart, COLLECTION), on(300, COLLECTION, "W1"))) == courses


@pytest.mark.parametrize(("apart", "courses"), [(LASTING, 1), (LASTING + 1, 2)])
def test_a_course_of_which_nothing_is_heard_is_over(apart: int, courses: int) -> None:
    """By time alone; a common product ties what is farther apart."""
    assert len(found(on(0, COLLECTION), on(apart, ADMINISTRATION))) == courses
    assert len(found(on(0, COLLECTION, "W1"), on(apart, ADMINISTRATION, "W1"))) == 1


products = st.lists(st.sampled_from("ABC"), max_size=2, unique=True)
statements = st.lists(
    st.builds(
        lambda day, service, stated: on(day, service, *stated),
        st.integers(0, 800),
        st.sampled_from(Service),
        products,
    ),
    max_size=12,
    unique_by=attrgetter("procedure_id"),
)


@given(statements, st.data())
def test_every_procedure_is_in_one_episode_whatever_the_order_it_was_heard_in(
    said: list[Any], data: st.DataObject
) -> None:
    """And what shares a product is in the same one."""
    made = found(*said)
    again = found(*data.draw(st.permutations(said)))
    named = [[step.statement.procedure_id for step in each.steps] for each in made]
    assert named == [[step.statement.procedure_id for step in each.steps] for each in again]
    assert sorted(chain.from_iterable(named)) == sorted(event.procedure_id for event in said)
    for product in "ABC":
        assert sum(product in each.products for each in made) <= 1


def test_an_administration_without_receipt_is_missed_at_once() -> None:
    """38228 without 38227, on the very day."""
    [course] = found(on(0, ADMINISTRATION), today=DAY)
    assert course.missing == (Missing(RECEIPT, ADMINISTRATION, DAY, ()),)


@pytest.mark.parametrize(("given", "follows"), [*pairwise(Service)])
def test_what_should_follow_is_missed_in_time_and_not_before(given: Service, follows: Service) -> None:
    """After as many days as asked for: cells may wait frozen, and some are never given."""
    for age, missed in ((29, []), (30, [follows])):
        [course] = found(on(0, given, "P"), on(-5, given, "P"), today=DAY + timedelta(days=age))
        assert absent(course) == missed


def test_what_was_passed_over_is_missed_at_once() -> None:
    """Transport, once the product was received; the administration may still come."""
    [course] = found(on(0, COLLECTION), on(3, RECEIPT), today=DAY + timedelta(days=3))
    assert absent(course) == [TRANSPORT]
    assert absent(found(on(0, COLLECTION), on(3, ADMINISTRATION), today=DAY)[0]) == [RECEIPT, TRANSPORT]
    assert absent(found(on(0, TRANSPORT), on(3, ADMINISTRATION), today=DAY)[0]) == [RECEIPT]


def test_what_is_missing_may_be_held() -> None:
    """The events of that service that wait for a person are named."""
    made = [
        Decision(event_id=name, sequence=1, cause=name, outcome=Outcome.HELD, service=service)
        for name, service in (("lab:0:1:0", RECEIPT), ("lab:0:2:0", TRANSPORT))
    ]
    [course] = found(on(0, ADMINISTRATION), waiting=tuple(made))
    assert [each.waiting for each in course.missing] == [("lab:0:1:0",)]


def test_what_was_performed_is_not_missing_because_it_was_not_charged() -> None:
    """Reported within the product, or of an inpatient: it happened."""
    for reporting in (Reporting.IN_PRODUCT, Reporting.INPATIENT):
        [course] = found(on(0, RECEIPT, "P", reporting=reporting), on(1, ADMINISTRATION, "P"))
        assert (course.missing, course.notices) == ((), ())
        assert course.steps[0].charge is None


def test_what_was_not_performed_here_is_shown_and_does_not_count() -> None:
    """Withdrawn, begun and not completed, or another patient's."""
    receipt = on(0, RECEIPT, "P")
    away = Moved(patient=PATIENT, event_id="e", procedure=receipt.procedure, away=True, at=1)
    for statement, outcome in (
        (on(0, RECEIPT, "P", status=Status.WITHDRAWN), Outcome.WITHDRAWN),
        (on(0, RECEIPT, "P", status=Status.IN_PROGRESS), Outcome.NOT_PERFORMED),
        (receipt, Outcome.MOVED),
    ):
        moved = [away] if outcome is Outcome.MOVED else []
        [course] = found(statement, on(1, ADMINISTRATION, "P"), *moved)
        assert [step.decision.outcome for step in course.steps] == [outcome, Outcome.REPORTED]
        assert absent(course) == [RECEIPT]
        assert [notice.warning for notice in course.notices] == [Warning.NO_RECEIPT]


def test_a_step_says_why_it_is_not_charged_or_what_billing_said() -> None:
    """The second of a day names what is charged; the charge what became of it."""
    ledger = Ledger().apply_all([said("A"), said("B")])
    [charge] = ledger.accounts[PATIENT].billing_events
    ack = Acknowledgement(patient=PATIENT, event_id="a", charge_id=charge.id, status=Acknowledged.ON_CLAIM)
    first, second = steps_of(ledger.apply_all([ack]).days.values())
    assert (first.charge, first.acknowledged) == (charge, Acknowledged.ON_CLAIM)
    assert first.decision.reason is Reason.FIRST_OF_DAY
    assert (second.charge, second.decision.covered_by) == (None, charge.procedure)


def test_what_has_no_date_or_is_none_of_the_services_is_no_step() -> None:
    """A withdrawal of something never heard of; the product itself."""
    other = said("Q", service=None, reporting=Reporting.NOT_OURS)
    assert steps_of(Ledger().apply_all([withdrawn("Z"), other]).days.values()) == []


def test_one_product_received_on_two_dates_is_told() -> None:
    """Receipt one day, thaw three days later: both are charged, a person may look. Two products are not."""
    [notice] = warned(on(0, RECEIPT, "P"), on(3, RECEIPT, "P", "Q"))
    assert notice == Notice(Warning.RECEIPT_TWICE, RECEIPT, (DAY, DAY + timedelta(days=3)), ("P",))
    assert warned(on(0, RECEIPT, "P"), on(3, RECEIPT, "Q"), on(3, RECEIPT)) == []
    assert warned(on(0, RECEIPT, "P"), on(0, RECEIPT, "P", stream="professional")) == []


def test_one_service_of_a_product_on_adjacent_dates_is_told() -> None:
    """A service that went over midnight and was stated twice; not one that was two days later."""
    one, next_day = DAY, DAY + timedelta(days=1)
    told = warned(on(0, COLLECTION, "P"), on(1, COLLECTION, "P"), on(3, COLLECTION, "P"))
    assert told == [Notice(Warning.ADJACENT_DAYS, COLLECTION, (one, next_day), ("P",))]
    assert warned(on(0, COLLECTION, "P"), on(1, TRANSPORT, "P"), on(1, COLLECTION, "Q")) == []


def test_a_product_given_and_never_received_is_told() -> None:
    """By its ids: an administration of a product that has several needs a receipt of one of them."""
    assert warned(on(0, RECEIPT, "Q"), on(1, ADMINISTRATION, "P")) == [
        Notice(Warning.NO_RECEIPT, ADMINISTRATION, (DAY + timedelta(days=1),), ("P",))
    ]
    assert warned(on(0, RECEIPT, "Q"), on(1, ADMINISTRATION, "P", "Q"), on(9, ADMINISTRATION)) == []


@given(statements)
def test_the_course_tells_what_a_decision_on_the_last_of_it_would(said: list[Any]) -> None:
    """One rule: whatever came last was decided when all else was known."""
    told = warned(*said)
    for last in said:
        others = [each for each in said if each is not last]
        warnings = Ledger().apply_all(others).apply(last).decisions[0].warnings
        for warning in ACROSS_DAYS:
            found = [
                notice
                for notice in told
                if notice.warning is warning
                and notice.service is last.service
                and last.service_date in notice.dates
                and {*notice.products} <= {*last.product_ids}
            ]
            assert bool(found) is (warning in warnings)
