"""`perdiem reconcile` prints an equation that a person can add up."""

import re
from datetime import date

from models.billing import Outcome
from models.reconciliation import Lag, Reconciliation, Unacknowledged, reconcile
from models.tally import CHARGE, CREDIT, IN, LATE, Bucket
from streams.cli.reconcile import lines

LAB = Bucket(date(2025, 3, 9), "lakeside", "lakeside-lab")
NOWHERE = Bucket(None, None, None)
COUNTED = [
    (NOWHERE, {IN: 1, Outcome.DEAD_LETTERED: 1}),
    (LAB, {IN: 1200, Outcome.REPORTED: 1000, Outcome.HELD: 199, CHARGE: 1001, CREDIT: 1, LATE: 12}),
]


def made(**more: object) -> Reconciliation:
    written = {LAB: {CHARGE: 1001, CREDIT: 1}}
    told = {"lines": reconcile([COUNTED]), "written": written} | more
    return Reconciliation(**told)  # type: ignore[arg-type]


def test_every_bucket_and_the_total_are_a_line_that_adds_up() -> None:
    """Terms that are zero are left out; those without a date come last; columns stand below each other."""
    assert [*lines(made())][2:9] == [
        "service date  facility  source           in",
        "2025-03-09    lakeside  lakeside-lab  1,200 = 1,000 reported + 199 held + 1 in flight",
        "no date       (none)    (none)            1 = 1 dead lettered",
        "total                                 1,201 = 1,000 reported + 199 held + 1 dead lettered"
        " + 1 in flight",
        "",
        "It does not balance.",
        "2025-03-09, lakeside, lakeside-lab: 1 event in flight",
    ]
    for line in [*lines(made())][3:6]:
        total, *terms = [int(n.replace(",", "")) for n in re.findall(r"[\d,]+(?= = | [a-z])", line)]
        assert total == sum(terms)


def test_what_is_wrong_is_said_for_each_bucket() -> None:
    """More decided than came in, and billing events that nobody counted."""
    told = "\n".join(
        lines(Reconciliation(lines=reconcile([[(LAB, {"reported": 2})]]), written={NOWHERE: {CREDIT: 3}}))
    )
    assert "lakeside-lab: 2 more decided than came in" in told
    assert "no date, (none), (none): billing events written against counted: +3 credit" in told


def test_what_balances_says_so() -> None:
    """In one line, even if nothing came in."""
    assert "It balances." in [*lines(Reconciliation(lines={}))]
    assert "total                            0 = 0 in flight" in [*lines(Reconciliation(lines={}))]


def test_what_was_forgotten_is_told_where_the_sum_falls_short() -> None:
    """Of days that are no longer kept nobody knows what billing said; the charges stand all the same."""
    [line] = [line for line in lines(made(standing={None: 3, "accepted": 990})) if "acknowledged  " in line]
    assert line.endswith("990 accepted, 0 on claim, 0 refused, 3 not at all, 7 of days that were forgotten")


def test_the_figures_are_named() -> None:
    """Each with its parts, and the charges that billing never answered by id."""
    told = made(
        standing={None: 3, "accepted": 990, "on_claim": 7},
        lag=Lag(1000, 4.25, 94_500.0),
        unacknowledged=Unacknowledged(36, 3, ("aa", "bb")),
    )
    assert [*lines(told)][-11:] == [
        "charges       1,001",
        "credits       1",
        "standing      1,000",
        "acknowledged  990 accepted, 7 on claim, 0 refused, 3 not at all",
        "duplicates    0 suppressed: 0 repeated, 0 already reported, 0 superseded",
        "late          12, 1.0% of the events in",
        "charge lag    half within 4.250 s, 95 of 100 within 1 day, 2:15:00 (1,000 first charges)",
        "unanswered    3 standing charges not acknowledged after 36 h",
        "              aa",
        "              bb",
        "              and 1 more: see --examples",
    ]
