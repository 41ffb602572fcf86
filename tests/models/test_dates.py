"""The calendar date at a facility."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from models.dates import day_of, local, months_after, utc_text

NEW_YORK = ZoneInfo("America/New_York")


def day(moment: str, *, bare: bool = False) -> date | None:
    return local(datetime.fromisoformat(moment), NEW_YORK, utc_midnight_is_date=bare).day


def test_a_time_with_offset_is_converted() -> None:
    """Half past three in Greenwich is the evening before in New York."""
    assert day("2026-08-04T03:30:00+00:00") == date(2026, 8, 3)
    assert day("2026-08-04T03:30:00+02:00") == date(2026, 8, 3)


def test_a_time_without_offset_keeps_the_date_as_written() -> None:
    """A local time is never moved."""
    assert day("2026-08-04T00:00:00") == date(2026, 8, 4)
    assert day("2026-08-04T23:59:59") == date(2026, 8, 4)


def test_a_date_without_time_is_that_date() -> None:
    """And nothing is made up about the time."""
    assert local(date(2026, 8, 4), NEW_YORK, utc_midnight_is_date=False) == (date(2026, 8, 4), None)


def test_midnight_utc_is_a_bare_date_only_where_the_source_writes_it_so() -> None:
    """Elsewhere midnight UTC is a time like any other."""
    assert day("2026-08-04T00:00:00+00:00", bare=True) == date(2026, 8, 4)
    assert day("2026-08-04T00:00:00+00:00") == date(2026, 8, 3)
    assert day("2026-08-04T00:00:00+02:00", bare=True) == date(2026, 8, 3)
    assert day("2026-08-04T00:00:01+00:00", bare=True) == date(2026, 8, 3)


@pytest.mark.parametrize(
    ("written", "offset"),
    [
        ("2026-03-08T02:30:00", -5),  # skipped: clocks go from 2 to 3
        ("2026-03-08T03:00:00", -4),
        ("2026-11-01T01:30:00", -4),  # repeated: the first one
        ("2026-11-01T02:00:00", -5),
    ],
)
def test_days_with_a_clock_change_keep_their_date(written: str, offset: int) -> None:
    """A local time that does not exist, or exists twice, is neither refused nor moved to another day."""
    moment = local(datetime.fromisoformat(written), NEW_YORK, utc_midnight_is_date=False)
    assert moment.day == date.fromisoformat(written[:10])
    assert moment.time is not None
    assert moment.time.isoformat() == f"{written}-0{-offset}:00"


def test_the_repeated_hour_is_told_apart_by_its_offset() -> None:
    """The same wall time twice is two times, and each equals itself when read back."""
    moments = [
        local(datetime(2026, 11, 1, hour, 30, tzinfo=UTC), NEW_YORK, utc_midnight_is_date=False).time
        for hour in (5, 6)
    ]
    assert [str(moment) for moment in moments] == ["2026-11-01 01:30:00-04:00", "2026-11-01 01:30:00-05:00"]
    assert [datetime.fromisoformat(str(moment)) for moment in moments] == moments


def test_times_as_text_sort_as_times() -> None:
    """Offsets and fractions do not disturb the order of versions."""
    east = timezone(timedelta(hours=10))
    moments = [
        datetime(2026, 8, 3, 23, tzinfo=east),
        datetime(2026, 8, 3, 23, 0, 0, 1, tzinfo=east),
        datetime(2026, 8, 3, 14, tzinfo=UTC),
        datetime(2026, 8, 3, 11, tzinfo=NEW_YORK),
    ]
    texts = [utc_text(moment) for moment in moments]
    assert texts == sorted(texts)
    assert texts[0] == "2026-08-03T13:00:00.000000Z"


def test_a_time_without_offset_is_in_the_senders_zone() -> None:
    """So that its versions can be compared with those that have an offset."""
    assert utc_text(datetime.fromisoformat("2026-08-03T09:00:00"), NEW_YORK) == utc_text(
        datetime(2026, 8, 3, 13, tzinfo=UTC), NEW_YORK
    )
    assert utc_text(date(2026, 8, 3), NEW_YORK) == "2026-08-03T04:00:00.000000Z"


def test_a_timestamp_that_is_no_time_has_no_date() -> None:
    """A producer may stamp its records with anything."""
    assert day_of(1_785_800_000_000, NEW_YORK) == date(2026, 8, 3)
    assert day_of(-1, NEW_YORK) is None
    assert day_of(2**62, NEW_YORK) is None


def test_months_end_on_the_last_day_there_is() -> None:
    """The filing limit of 29 February is 28 February."""
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2026, 12, 31), 2) == date(2027, 2, 28)
    assert months_after(date(2026, 1, 15), 11) == date(2026, 12, 15)
