"""What is known of charges lies on disk: when they were written, and what billing said of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.billing import Acknowledged, BillingEvent
from models.reconciliation import Lag
from streams.lags import Lags
from tests.models.ledger import Ledger
from tests.models.said import said

ENDED = datetime(2025, 3, 10, 9, tzinfo=UTC)
ENDED_MS = round(ENDED.timestamp() * 1000)
[CHARGE] = Ledger().apply(said("A", performed_start=ENDED)).billing_events


def charge(number: int, **more: object) -> BillingEvent:
    return replace(CHARGE, id=f"c{number:05}", **more)


@given(st.lists(st.integers(-(10**9), 10**10), min_size=1, max_size=60))
def test_half_and_95_of_100_charges_lie_within_what_is_told(lags: list[int]) -> None:
    """By nearest rank: a lag that a charge had, with no fewer charges within it, and fewer below it."""
    with Lags() as charges:
        for number, lag in enumerate(lags):
            charges.written(charge(number), ENDED_MS + lag)
        told = charges.lag()
    assert told.charges == len(lags)
    assert told.median is not None
    assert told.p95 is not None
    for share, figure in ((0.5, round(told.median * 1000)), (0.95, round(told.p95 * 1000))):
        assert figure in lags
        assert sum(lag <= figure for lag in lags) >= share * len(lags)
        assert sum(lag < figure for lag in lags) < share * len(lags)
    assert len(lags) % 2 == 0 or told.median * 1000 == pytest.approx(median(lags))


def test_a_lag_begins_at_the_end_of_the_service() -> None:
    """At its start where no end is known."""
    ended = ENDED + timedelta(hours=2)
    with Lags() as charges:
        charges.written(charge(1, performed_end=ended), ENDED_MS + 3 * 3_600_000)
        assert charges.lag() == Lag(1, 3600, 3600)


def test_only_first_charges_with_a_known_time_have_a_lag() -> None:
    """Not one that follows a correction, none of which only the date is known, or the time without offset."""
    with Lags() as charges:
        charges.written(charge(1, sequence=3), ENDED_MS + 1)
        charges.written(charge(2, performed_start=None), ENDED_MS + 1)
        charges.written(charge(3, performed_start=ENDED.replace(tzinfo=None)), ENDED_MS + 1)
        assert charges.lag() == Lag(0, None, None)


def test_charges_of_which_billing_said_nothing_are_told_oldest_first() -> None:
    """Only those that stand and are older than asked for, and no more of them than asked for."""
    with Lags() as charges:
        for number in range(5):
            charges.written(charge(number), 1000 - number)
        standing = [(charge(number).id, None) for number in (0, 1, 3)]
        charges.stand(b"day", [*standing, (charge(2).id, Acknowledged.ACCEPTED)])
        assert charges.standing() == {None: 3, "accepted": 1}
        assert charges.unacknowledged(1001, 2) == (3, ("c00003", "c00001"))
        assert charges.unacknowledged(1000, 9) == (2, ("c00003", "c00001"))


def test_what_was_told_of_a_day_before_no_longer_holds() -> None:
    """The last value of a changelog's key is the state; a deletion leaves nothing of it."""
    with Lags() as charges:
        charges.stand(b"day", [("a", None)])
        charges.stand(b"other", [("b", Acknowledged.REFUSED)])
        charges.stand(b"day", [("a", Acknowledged.ON_CLAIM)])
        assert charges.standing() == {"on_claim": 1, "refused": 1}
        charges.stand(b"day", ())
        assert charges.standing() == {"refused": 1}


def test_no_patient_is_on_disk_and_nothing_is_left_there() -> None:
    """Keys of patient-days name patients: they are hashed, in a folder of their own, gone afterwards."""
    with Lags() as charges:
        charges.stand(b"patient_days\0" + b"UH|4711042\x1f2025-03-10", [("a", None)] * 1000)
        charges.written(charge(1), 1)
        folder = Path(charges.folder)
        assert folder.stat().st_mode & 0o077 == 0
        assert charges.standing() == {None: 1000}
        charges._db.execute("COMMIT")
        written = b"".join(file.read_bytes() for file in folder.iterdir())
        assert len(written) > 10_000
        assert b"4711042" not in written
        assert CHARGE.patient.encode() not in written
    assert not folder.exists()
