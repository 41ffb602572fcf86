"""Moments as sources write them: with an offset, local without one, or only a date."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timezone, tzinfo
from typing import NamedTuple

MIDNIGHT = time()


class Local(NamedTuple):
    """A moment at a facility, as far as it is known."""

    day: date | None
    """Calendar date there."""
    time: datetime | None
    """With the offset in force there; None if only the date is known."""


def local(moment: date | None, zone: tzinfo, *, utc_midnight_is_date: bool) -> Local:
    """The moment at a facility in ``zone``. Without offset it is local: its date is the date as written.

    A local time that the change to summer time skips keeps its date and the offset before the change; one
    that the change back repeats is taken as the first.
    """
    if not isinstance(moment, datetime):
        return Local(moment, None)
    if moment.tzinfo is None:
        there = moment.replace(tzinfo=zone)
    elif utc_midnight_is_date and not moment.utcoffset() and moment.time() == MIDNIGHT:
        return Local(moment.date(), None)
    else:
        there = moment.astimezone(zone)
    # With its fixed offset: a time in a zone is never equal to one read back from JSON in the repeated hour.
    offset = there.utcoffset()
    assert offset is not None
    return Local(there.date(), there.replace(tzinfo=timezone(offset), fold=0))


def utc_text(moment: date, zone: tzinfo = UTC) -> str:
    """The moment as UTC text to the microsecond, which sorts. Without offset: ``zone``; without time: 0 h."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, MIDNIGHT)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def time_of(milliseconds: int, zone: tzinfo = UTC) -> datetime | None:
    """A record's timestamp as a time in ``zone``; None where a producer set one that is none."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, zone) if milliseconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def day_of(milliseconds: int, zone: tzinfo) -> date | None:
    """Date in ``zone`` of a record's timestamp; None where a producer set one that is no time."""
    at = time_of(milliseconds, zone)
    return at.date() if at else None


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the month's last: 12 after 29 February is 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
