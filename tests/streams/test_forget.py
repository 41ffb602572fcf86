"""What may be forgotten, and what there is to forget."""

from datetime import UTC, date, datetime

import pytest

from models.patient import Patient, encode_patient
from streams.forget import ForgetError, Old, Who, check, days_before
from streams.kept import PATIENTS

BEFORE = date(2019, 6, 1)
OLD, OLDER, KEPT = date(2019, 5, 31), date(2018, 1, 1), BEFORE
WHO = Who("ada", datetime(2026, 1, 1, tzinfo=UTC), "retention")


@pytest.mark.parametrize(
    ("before", "force", "says"),
    [
        (date(2020, 3, 1), False, None),
        (date(2020, 3, 2), False, "2020-03-02 is less than 6 years ago (PERDIEM_RETENTION_YEARS)"),
        (date(2020, 3, 2), True, None),
        (date(2026, 3, 1), True, None),
        (date(2026, 3, 2), True, "2026-03-02 lies ahead"),
        (date(2026, 3, 2), False, "2026-03-02 lies ahead"),
    ],
)
def test_a_date_younger_than_the_retention_needs_force(before: date, force: bool, says: str | None) -> None:
    """And one that lies ahead is refused whatever is said: what comes then would never be charged."""
    today = date(2026, 3, 1)
    if says is None:
        check(before, today, 6, force=force)
        return
    with pytest.raises(ForgetError, match=r"^--before: ") as caught:
        check(before, today, 6, force=force)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("patient", "days"),
    [
        (Patient(), set()),
        (Patient(places={"a": KEPT, "b": None}, left=(None, KEPT)), set()),
        (Patient(places={"a": OLD, "b": OLD, "c": KEPT}), {OLD}),
        (Patient(places={"a": OLD}, left=(OLD, OLDER)), {OLD, OLDER}),
        (Patient(places={"a": OLD}, expired_before=OLDER), {OLD}),
        (Patient(places={"a": OLD}, expired_before=BEFORE), set()),
    ],
)
def test_the_days_to_forget_are_those_that_are_kept_and_lie_before(patient: Patient, days: set[date]) -> None:
    """Where procedures stand, and what they left; none of a patient whose watermark is there already."""
    assert days_before(patient, BEFORE) == days


class Record:
    """As a changelog holds it."""

    def __init__(self, key: str, patient: Patient | None) -> None:
        self.key = PATIENTS + key.encode()
        self.value = None if patient is None else encode_patient(patient)


def found(*records: Record, before: date = BEFORE) -> Old:
    old = Old(before)
    old._take(records)
    old.count()
    return old


def test_of_each_patient_the_latest_state_counts() -> None:
    """A changelog that is not compacted yet holds many; a patient whose state is gone is not counted."""
    old = found(
        Record("A|1", Patient(places={"a": OLD})),
        Record("A|2", Patient(places={"a": OLD})),
        Record("A|3", Patient(places={"a": OLD})),
        Record("A|1", Patient(places={"a": OLD, "b": OLDER})),
        Record("A|2", Patient(expired_before=BEFORE)),
        Record("A|3", None),
    )
    assert (old.patients, old.days) == (1, 2)
    assert [command.patient for command in old.commands(WHO)] == ["A|1"]
    old.close()


def test_the_command_of_a_date_and_patient_is_always_the_same_and_shows_no_patient() -> None:
    """Sent twice, whoever sends it and when, it changes nothing."""
    records = [Record("A|4711", Patient(places={"a": OLDER})), Record("A|0815", Patient(places={"a": OLDER}))]
    ids = []
    for before, who in (
        (BEFORE, WHO),
        (BEFORE, WHO._replace(user="bob", time=datetime.now(UTC))),
        (OLD, WHO),
    ):
        old = found(*records, before=before)
        ids.append([command.id for command in old.commands(who)])
        old.close()
    first, again, another = ids
    assert first == again
    assert len({*first, *another}) == 4
    assert not any("4711" in name or "0815" in name for name in (*first, *another))
