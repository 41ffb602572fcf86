"""What came in is held against what became of it, over all agents together."""

from collections import Counter
from datetime import date
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.billing import Kind, Outcome
from models.codes import Service
from models.reconciliation import (
    OUTCOMES,
    Lag,
    Line,
    Reconciliation,
    Written,
    bucket_of,
    in_order,
    reconcile,
)
from models.tally import ACKNOWLEDGED, CHARGE, CREDIT, IN, LATE, Bucket, Counts, of_service
from tests.models.ledger import Ledger
from tests.models.said import MONDAY, TUESDAY, said, withdrawn

LAB = Bucket(MONDAY, "north", "lab")
WARD = Bucket(TUESDAY, "north", "infusion")
NOWHERE = Bucket(None, None, None)

WHAT = (IN, LATE, CHARGE, CREDIT, *OUTCOMES)
agents = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from((LAB, WARD, NOWHERE)),
            st.dictionaries(st.sampled_from(WHAT), st.integers(-5, 5)),
        )
    )
)


def account(*counted: tuple[Bucket, Counts], **more: Any) -> Reconciliation:
    return Reconciliation(lines=reconcile([counted]), **more)


def test_what_one_agent_takes_another_adds() -> None:
    """An event that was held and released is one event with one outcome; no agent's count says so alone."""
    lines = reconcile(
        [
            [(LAB, {IN: 3})],
            [(LAB, {Outcome.HELD: 1}), (WARD, {Outcome.HELD: 1}), (LAB, {Outcome.HELD: -1})],
            [(WARD, {Outcome.HELD: -1})],
            [(LAB, {Outcome.REPORTED: 1, Outcome.ALREADY_REPORTED: 2, CHARGE: 1})],
        ]
    )
    assert lines.keys() == {LAB}, "a line of which nothing is left is none"
    assert lines[LAB].outcomes == {"reported": 1, "already_reported": 2}
    assert Reconciliation(lines=lines, written={LAB: {CHARGE: 1}}).balances


@given(agents, agents)
def test_the_equation_is_additive_over_agents(some: Any, others: Any) -> None:
    """The lines of all agents are the sums of the lines of some and of the others, whoever counted what."""
    together, apart = reconcile([*some, *others]), (reconcile(some), reconcile(others))
    for bucket in (LAB, WARD, NOWHERE):
        lines = [found.get(bucket, Line({})) for found in apart]
        whole = together.get(bucket, Line({}))
        assert whole.in_flight == sum(line.in_flight for line in lines)
        for what in WHAT:
            assert whole.counts.get(what, 0) == sum(line.counts.get(what, 0) for line in lines)


@given(agents)
def test_every_line_and_the_total_obey_the_equation(some: Any) -> None:
    """In = the sum of outcomes + in flight, and the total is the sum of its lines."""
    made = Reconciliation(lines=reconcile(some))
    for line in (*made.lines.values(), made.total):
        assert line.came_in == sum(line.outcomes.values()) + line.in_flight
    assert made.total.in_flight == sum(line.in_flight for line in made.lines.values())


def test_what_has_no_outcome_yet_does_not_balance() -> None:
    """Nor does what was decided and never came in; one never makes up for the other."""
    made = account((LAB, {IN: 2, Outcome.REPEATED: 1}), (WARD, {Outcome.REPEATED: 1}))
    assert made.total.in_flight == 0
    assert {bucket: line.in_flight for bucket, line in made.unbalanced.items()} == {LAB: 1, WARD: -1}
    assert not made.balances


def test_nothing_at_all_balances() -> None:
    """No agent has counted anything; there is no share of late events."""
    made = account()
    assert made.balances
    assert made.total.late_share is None


def test_a_charge_that_was_written_and_not_counted_does_not_balance() -> None:
    """In a bucket of its own, too; and one that was counted and not written."""
    made = account((LAB, {CHARGE: 2, CREDIT: 1}), written={LAB: {CHARGE: 1, CREDIT: 1}, WARD: {CHARGE: 1}})
    assert made.miscounted == {LAB: {CHARGE: -1, CREDIT: 0}, WARD: {CHARGE: 1, CREDIT: 0}}
    assert not made.balances
    assert account((LAB, {CHARGE: 2}), written={LAB: {CHARGE: 2}}).balances


def test_duplicates_are_told_by_cause() -> None:
    """Sent again, covered by another procedure, replaced by a later statement; no other."""
    counts = {IN: 10, LATE: 1, **{outcome.value: 1 for outcome in OUTCOMES}}
    assert account((LAB, counts)).total.suppressed == {"repeated": 1, "already_reported": 1, "superseded": 1}
    assert account((LAB, counts)).total.late_share == 0.1


def test_what_a_later_version_counts_is_an_outcome() -> None:
    """A word that is not known here is summed like any other, and told last."""
    line = Line({IN: 2, "zapped": 1, Outcome.REPORTED: 1})
    assert [*line.outcomes] == ["reported", "zapped"]
    assert line.in_flight == 0


def test_what_is_counted_beside_outcomes_is_none() -> None:
    """Charges of a service, and what billing acknowledged, leave the equation alone."""
    counts = {
        IN: 3,
        Outcome.REPORTED: 3,
        CHARGE: 3,
        CREDIT: 1,
        of_service(CHARGE, Service.RECEIPT): 3,
        of_service(CREDIT, Service.RECEIPT): 1,
        ACKNOWLEDGED: 1,
    }
    line = account((LAB, counts)).total
    assert (line.outcomes, line.in_flight) == ({"reported": 3}, 0)
    assert line.services == {service: Written(0, 0) for service in Service} | {Service.RECEIPT: Written(3, 1)}
    assert (line.standing, line.never_acknowledged) == (2, 1)


def test_buckets_stand_by_date_and_those_without_come_last() -> None:
    """Then by facility and source."""
    assert sorted([NOWHERE, WARD, LAB], key=in_order) == [LAB, WARD, NOWHERE]


def test_a_charge_and_its_credit_are_counted_together() -> None:
    """Whatever was corrected: the credit copies what the charge said."""
    ledger = Ledger().apply_all([said("A"), said("A", 2, service_date=TUESDAY), withdrawn("A", 3)])
    [account] = ledger.accounts.values()
    standing = Counter[Bucket]()
    for event in account.billing_events:
        standing[bucket_of(event)] += 1 if event.kind is Kind.CHARGE else -1
    assert standing == {LAB: 0, Bucket(TUESDAY, "north", "lab"): 0}


def test_programs_get_one_json_object() -> None:
    """With the verdict, a row a bucket, the total, and every figure by name."""
    made = account(
        (LAB, {IN: 2, Outcome.REPORTED: 1, LATE: 1, CHARGE: 1}),
        (NOWHERE, {IN: 1, Outcome.DEAD_LETTERED: 1}),
        written={LAB: {CHARGE: 1}},
        standing={None: 1},
        lag=Lag(1, 2.5, 2.5),
    )
    told = msgspec.json.decode(msgspec.json.encode(made.told()))
    assert told["balances"] is False
    assert [row["service_date"] for row in told["buckets"]] == [MONDAY.isoformat(), None]
    assert told["buckets"][0] == {
        "service_date": str(date(2025, 3, 10)),
        "facility": "north",
        "source": "lab",
        "in": 2,
        "outcomes": {"reported": 1},
        "in_flight": 1,
        "charges": 1,
        "credits": 0,
        "standing": 1,
        "never_acknowledged": 1,
        "services": {service: {"charges": 0, "credits": 0} for service in Service},
        "late": 1,
        "suppressed": {"repeated": 0, "already_reported": 0, "superseded": 0},
    }
    assert told["total"]["in"] == 3
    assert told["standing"] == {"unacknowledged": 1, "accepted": 0, "on_claim": 0, "refused": 0}
    assert told["charge_lag_seconds"] == {"charges": 1, "median": 2.5, "p95": 2.5}
