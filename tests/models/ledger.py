"""A ledger in memory: applies the rule as the running one does, and keeps all that comes out."""

from collections.abc import Callable, Iterable
from datetime import date

import msgspec

from models.audit import Account
from models.entries import AnyEntry
from models.patient import Patient
from models.patient_day import PatientDay
from models.posting import Posting, post
from models.procedures import ProcedureEvent

_whole = msgspec.json.Encoder(order="deterministic").encode


def same(day: PatientDay) -> PatientDay:
    return day


class Ledger:
    """Days of several patients, and where each procedure stands.

    ``kept`` is applied to every day that is written: what a store makes of it, for instance.
    """

    def __init__(self, kept: Callable[[PatientDay], PatientDay] = same) -> None:
        self.days: dict[tuple[str, date | None], PatientDay] = {}
        self.patients: dict[str, Patient] = {}
        self.accounts: dict[str, Account] = {}
        self._kept = kept

    def apply(self, entry: AnyEntry) -> Posting:
        """Post one entry; fails if the rule changed the days that it was given."""
        read: dict[date | None, PatientDay] = {}
        before: dict[date | None, bytes] = {}

        def find(day: date | None) -> PatientDay | None:
            found = self.days.get((entry.patient, day))
            if found is not None:
                read[day], before[day] = found, _whole(found)
            return found

        posting = post(self.patients.get(entry.patient, Patient()), find, entry)
        after = {day: _whole(found) for day, found in read.items()}
        assert after == before, "the rule changed what it was given"
        for day in posting.days:
            self.days[entry.patient, day.service_date] = self._kept(day)
        for removed in posting.removed:
            self.days.pop((entry.patient, removed), None)
        self.patients[entry.patient] = posting.patient

        account = self.accounts.setdefault(entry.patient, Account())
        if isinstance(entry, ProcedureEvent):
            account.procedures.append(entry)
        account.decisions += posting.decisions
        account.billing_events += posting.billing_events
        return posting

    def place(self, patient: str, procedure_id: str) -> date | None:
        """The day on which a procedure stands."""
        places = self.patients[patient].places
        return next(day for name, day in places.items() if name.split("|")[1] == procedure_id)

    def apply_all(self, entries: Iterable[AnyEntry]) -> "Ledger":
        for entry in entries:
            self.apply(entry)
        return self
